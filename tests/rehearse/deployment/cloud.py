"""A cloud of one's own: MiniStack on a free port of this machine, its clients, and its journal.

Invariant: whatever happens to this process, MiniStack and the functions it runs end with it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import boto3

REGION = "us-east-1"
START = 20.0
# What a function logs when something is wrong with it: its own errors, and what the runtime says of a panic.
ALARMING = ('"level":"ERROR"', " ERROR ", "panicked at")


class Failure(Exception):
    """Something is not as it should be; its text says what."""


def until(what: str, deadline: float, done: Callable[[], Any], trouble: Callable[[], str] = str) -> Any:
    """Asks again until `done` has an answer; fails at the deadline, or as soon as there is trouble."""
    end = time.monotonic() + deadline
    while True:
        answer = done()
        if answer:
            return answer
        if found := trouble():
            raise Failure(f"{what}: {found}")
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {deadline:g} s")
        time.sleep(0.02)


def alone() -> None:
    """Forgets this machine's profiles, credentials and proxies, any of which could lead a call elsewhere."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Cloud:
    """MiniStack, from `with` to its end."""

    live: ClassVar[set["Cloud"]] = set()

    def __init__(self) -> None:
        alone()
        self.folder = tempfile.TemporaryDirectory(prefix="rehearsal-")
        self.path = Path(self.folder.name)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.read = 0
        self.journal: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        emulator = Path(__file__).parents[1] / "emulator"
        (self.path / "journal").touch()
        with open(self.path / "log", "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, emulator], env=self.environment(), cwd=self.path, stdin=subprocess.PIPE,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )
        self.live.add(self)
        try:
            until("MiniStack starts", START, self.answers, self.has_ended)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """All that MiniStack and the functions get: nothing of this machine's configuration, which they would use."""
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.path), "TMPDIR": str(self.path),
            "AUTH": "true", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "AWS_ENDPOINT_URL": self.url,
            "MINISTACK_REGION": REGION, "JOURNAL": str(self.path / "journal"),
            # Between tries of a function that an event started; AWS waits a minute.
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1",
        }

    def stop(self) -> None:
        """Ends MiniStack and its functions, and removes what they wrote."""
        self.kill()
        self.live.discard(self)
        if self.process and self.process.stdin:
            self.process.wait()
            self.process.stdin.close()
        self.folder.cleanup()

    def kill(self) -> None:
        """Ends MiniStack and its functions, which are one group of processes."""
        if self.process and self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def answers(self) -> bool:
        """Whether MiniStack is ready."""
        try:
            return self.get("/_ministack/ready").get("status") == "completed"
        except (urllib.error.URLError, ConnectionError):
            return False

    def has_ended(self) -> str:
        """What MiniStack said last, if it has ended."""
        if self.process is None or self.process.poll() is None:
            return ""
        return f"it ended with {self.process.returncode}: {(self.path / 'log').read_text()[-2000:]}"

    def get(self, path: str) -> dict[str, Any]:
        """What MiniStack says about itself."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def client(self, service: str) -> Any:
        """A client for the one who deploys and may do everything."""
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )

    def lines(self) -> list[dict[str, Any]]:
        """The journal so far."""
        with open(self.path / "journal", "rb") as journal:
            journal.seek(self.read)
            fresh = journal.read()
        # The last line may be half written.
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self.read += len(whole)
        self.journal += [json.loads(line) for line in whole.splitlines()]
        return self.journal

    def troubles(self) -> list[str]:
        """What was denied, what crashed, and what functions logged as an error."""
        return [text for line in self.lines() for text in trouble(line)]

    def is_quiet(self) -> bool:
        """Whether no function runs."""
        ended = {line["request"] for line in self.lines() if line["kind"] == "end"}
        return all(line["request"] in ended for line in self.journal if line["kind"] == "begin")


def trouble(line: dict[str, Any]) -> list[str]:
    """What is wrong, by a line of the journal."""
    kind, function = line["kind"], line.get("function")
    if kind == "check" and not line["allowed"]:
        keys = f" with {', '.join(line['keys'])}" if line["keys"] else ""
        return [f"denied: {function} {line['action']} on {line['resource']}{keys}"]
    if kind == "end" and line["failed"]:
        return [f"failed: {function} answered {json.dumps(line['answer'])}"]
    if kind == "log" and any(mark in line["text"] for mark in ALARMING):
        return [f"logged: {function} {line['text']}"]
    return []
