"""A cloud for one rehearsal: MiniStack on a free port of this machine, with its clients and its journal.

Invariant: whatever happens to this process, MiniStack and the functions it runs end with it.
"""

import itertools
import json
import os
import random
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

from caller import Failure

REGION = "us-east-1"
START = 20.0
# Marks of trouble in a function's log: its own errors, the runtime's errors, and panics.
ALARMING = ('"level":"ERROR"', " ERROR ", "panicked at")


def until(what: str, deadline: float, done: Callable[[], Any], trouble: Callable[[], str] = str) -> Any:
    """Calls `done` until it returns something true. Fails at the deadline, or as soon as `trouble` returns a text."""
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
    """Removes this machine's profiles, credentials and proxies, any of which could direct a call elsewhere."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


# Below those that systems give to outgoing connections, any of which might take a port before MiniStack does. No two
# clouds of this process try the same one.
PORTS = itertools.count(random.randrange(10_000, 30_000))


def free_port() -> int:
    """A port on which nothing listens."""
    for port in PORTS:
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("PORTS has no end")


class Cloud:
    """MiniStack; it runs as long as the `with` statement."""

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
        """The whole environment of MiniStack and its functions, which would otherwise use this machine's settings."""
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.path), "TMPDIR": str(self.path),
            "AUTH": "true", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "AWS_ENDPOINT_URL": self.url,
            "MINISTACK_REGION": REGION, "JOURNAL": str(self.path / "journal"),
            # The pause between attempts at a function that an event invoked; on AWS it is a minute.
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1",
        }

    def stop(self) -> None:
        """Ends MiniStack and its functions, and removes the files they wrote."""
        self.kill()
        self.live.discard(self)
        if self.process and self.process.stdin:
            self.process.wait()
            self.process.stdin.close()
        self.folder.cleanup()

    def kill(self) -> None:
        """Ends MiniStack and its functions, which form one process group."""
        if self.process and self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def answers(self) -> bool:
        """Whether MiniStack is ready."""
        try:
            return self.get("/_ministack/ready").get("status") == "completed"
        except (urllib.error.URLError, ConnectionError):
            return False

    def has_ended(self) -> str:
        """The end of MiniStack's log if it has ended; otherwise empty."""
        if self.process is None or self.process.poll() is None:
            return ""
        return f"it ended with status {self.process.returncode}: {(self.path / 'log').read_text()[-2000:]}"

    def get(self, path: str) -> dict[str, Any]:
        """An answer of MiniStack's own endpoints."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def client(self, service: str) -> Any:
        """A client for the person who deploys, who may do everything."""
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )

    def lines(self) -> list[dict[str, Any]]:
        """The journal so far."""
        with open(self.path / "journal", "rb") as journal:
            journal.seek(self.read)
            fresh = journal.read()
        # The last line may be incomplete.
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self.read += len(whole)
        self.journal += [json.loads(line) for line in whole.splitlines()]
        return self.journal

    def troubles(self) -> list[str]:
        """Every denied call, failed invocation and logged error."""
        return [text for line in self.lines() for text in trouble(line)]

    def is_quiet(self) -> bool:
        """Whether no function is running."""
        ended = {line["request"] for line in self.lines() if line["kind"] == "end"}
        return all(line["request"] in ended for line in self.journal if line["kind"] == "begin")


def trouble(line: dict[str, Any]) -> list[str]:
    """The trouble that a line of the journal reports, if any."""
    kind, function = line["kind"], line.get("function")
    if kind == "check" and not line["allowed"]:
        keys = f" with {', '.join(line['keys'])}" if line["keys"] else ""
        return [f"denied: {function} {line['action']} on {line['resource']}{keys}"]
    if kind == "end" and line["failed"]:
        return [f"failed: {function} answered {json.dumps(line['answer'])}"]
    if kind == "log" and any(mark in line["text"] for mark in ALARMING):
        return [f"logged: {function} {line['text']}"]
    return []
