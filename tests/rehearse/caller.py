"""A caller of the API: an address, a key, and the answers it gets. The rehearsal and the smoke test both call so.

Invariant: an answer that is not what was expected is a failure that shows what was asked and what came.
"""

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlsplit

from deployment.cloud import Failure

TIMEOUT = 40.0
LAG = 5.0


@dataclass(frozen=True)
class Reply:
    """An answer."""

    asked: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; null when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def expect(self, status: int) -> Self:
        """The answer, which must have this status."""
        if self.status != status:
            raise Failure(f"{self.asked}: {status} expected, got {self.status}: {self.body.decode()[:500]}")
        return self

    def refused(self, status: int, code: str) -> Self:
        """The answer, which must be a problem with this status and code, in the form of RFC 9457."""
        problem = self.json if isinstance(self.json, dict) else {}
        form = self.headers.get("content-type")
        seen = (self.status, problem.get("status"), problem.get("code"), form)
        if seen != (status, status, code, "application/problem+json"):
            raise Failure(f"{self.asked}: {status} {code} expected, got {self.status} as {form}: "
                          f"{self.body.decode()[:500]}")
        return self

    def replays(self, first: "Reply") -> None:
        """Asserts that this is the first answer again, byte for byte, and says so."""
        equal(f"{self.asked} again", (self.status, self.body), (first.status, first.body))
        equal(f"{self.asked} again: Idempotency-Replayed", self.headers.get("idempotency-replayed"), "true")

    def refids(self, member: str = "refid") -> list[str]:
        """The ids of a list."""
        return [item[member] for item in self.expect(200).json["data"]]


@dataclass(frozen=True)
class Caller:
    """Somebody with or without a key."""

    url: str
    host: str = ""
    key: str = field(default="", repr=False)

    def with_key(self, key: str) -> "Caller":
        """The same caller with another key."""
        return replace(self, key=key)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Sends anything; `idempotency_key="k"` is the header `Idempotency-Key: k`."""
        address = urlsplit(self.url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.netloc, timeout=TIMEOUT)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.host:
            sent["Host"] = self.host
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        # Text is a form as browsers send it, bytes are a picture, anything else is JSON.
        kinds = {str: "application/x-www-form-urlencoded", bytes: "image/png"}
        if body is not None:
            sent["Content-Type"] = kinds.get(type(body), "application/json")
            body = body if type(body) in kinds else json.dumps(body)
        try:
            connection.request(method, address.path + path, body, sent)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(f"{method} {path}", answer.status, named, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        """Reads."""
        return self.send("GET", path)

    def delete(self, path: str) -> Reply:
        """Deletes."""
        return self.send("DELETE", path)

    def post(self, path: str, body: Any = None, once: str = "") -> Reply:
        """Posts JSON, or asks for an action; `once` is the idempotency key."""
        return self.send("POST", path, body, **({"idempotency_key": once} if once else {}))

    def put(self, path: str, body: Any) -> Reply:
        """Puts JSON, or bytes."""
        return self.send("PUT", path, body)

    def patch(self, path: str, body: Any, **headers: str) -> Reply:
        """Patches with JSON."""
        return self.send("PATCH", path, body, **headers)


def equal(what: str, seen: Any, expected: Any) -> None:
    """Asserts that what was seen is what was expected."""
    if seen != expected:
        raise Failure(f"{what}: {expected!r} expected, got {seen!r}"[:1000])


def soon(what: str, look: Callable[[], Any], expected: Any) -> None:
    """Asserts that what is seen becomes what is expected: an index of the table lags behind it by a moment."""
    end = time.monotonic() + LAG
    while (seen := look()) != expected and time.monotonic() < end:
        time.sleep(0.1)
    equal(what, seen, expected)
