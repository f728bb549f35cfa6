"""A caller of the API, for the rehearsal and the smoke test: an address, an API key, and the answers it gets.

Invariant: an unexpected answer is a failure that shows the request and the answer.
"""

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT = 40.0
LAG = 5.0


class Failure(Exception):
    """A violated expectation; its text says what is wrong."""


@dataclass(frozen=True)
class Reply:
    """An answer."""

    asked: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def expect(self, status: int) -> Self:
        """Asserts the status, and returns the answer."""
        if self.status != status:
            raise Failure(f"{self.asked}: {status} expected, got {self.status}: {self.body.decode()[:500]}")
        return self

    def refused(self, status: int, code: str) -> Self:
        """Asserts that this is a problem with this status and code, in the form of RFC 9457, and returns it."""
        problem = self.json if isinstance(self.json, dict) else {}
        form = self.headers.get("content-type")
        seen = (self.status, problem.get("status"), problem.get("code"), form)
        if seen != (status, status, code, "application/problem+json"):
            raise Failure(f"{self.asked}: {status} {code} expected, got {self.status} as {form}: "
                          f"{self.body.decode()[:500]}")
        return self

    def replays(self, first: "Reply") -> None:
        """Asserts that this repeats the first answer byte for byte, and is marked as a replay."""
        equal(f"{self.asked} again", (self.status, self.body), (first.status, first.body))
        equal(f"{self.asked} again: Idempotency-Replayed", self.headers.get("idempotency-replayed"), "true")

    def refids(self, member: str = "refid") -> list[str]:
        """The ids in a list."""
        return [item[member] for item in self.expect(200).json["data"]]


@dataclass(frozen=True)
class Caller:
    """A caller with or without credentials."""

    url: str
    host: str = ""
    key: str = field(default="", repr=False)

    def with_key(self, key: str) -> "Caller":
        """The same caller with other credentials."""
        return replace(self, key=key)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Sends a request; `idempotency_key="k"` becomes the header `Idempotency-Key: k`."""
        address = urlsplit(self.url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.netloc, timeout=TIMEOUT)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.host:
            sent["Host"] = self.host
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        # A string is a form as browsers send it, bytes are a picture, anything else is sent as JSON.
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
        """Sends a GET request."""
        return self.send("GET", path)

    def delete(self, path: str) -> Reply:
        """Sends a DELETE request."""
        return self.send("DELETE", path)

    def post(self, path: str, body: Any = None, once: str = "") -> Reply:
        """Posts JSON, or nothing to an action; `once` is the idempotency key."""
        return self.send("POST", path, body, **({"idempotency_key": once} if once else {}))

    def put(self, path: str, body: Any) -> Reply:
        """Puts JSON or bytes."""
        return self.send("PUT", path, body)

    def patch(self, path: str, body: Any, **headers: str) -> Reply:
        """Patches with JSON."""
        return self.send("PATCH", path, body, **headers)


def equal(what: str, seen: Any, expected: Any) -> None:
    """Asserts that two values are equal."""
    if seen != expected:
        raise Failure(f"{what}: {expected!r} expected, got {seen!r}"[:1000])


def soon(what: str, look: Callable[[], Any], expected: Any) -> None:
    """Asserts that a value soon becomes the expected one. The indexes lag behind the table, so it may take a moment."""
    end = time.monotonic() + LAG
    while (seen := look()) != expected and time.monotonic() < end:
        time.sleep(0.1)
    equal(what, seen, expected)
