"""`make smoke URL=…`: the part of the walk that needs only HTTP, against any deployed system.

Invariants: it touches only what it created itself. However it ends, it removes what can be removed and lists the rest.
It needs nothing but Python, so that nobody else's code meets the key. The key that it is given makes and ends the keys
that it works with, which end by themselves after an hour, too.
"""

import os
import secrets
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import walk
from caller import Caller, Failure
from steps import end, run, say, verdict
from world import World

LOOPBACK = ("localhost", "127.0.0.1", "::1")
# An address of SES's mailbox simulator, which accepts e-mails with any label and never complains.
ADDRESS = "success+rehearsal-{}@simulator.amazonses.com"
# How long the keys last that it makes.
KEYS_LAST = timedelta(hours=1)


def is_safe(url: str) -> bool:
    """Whether nobody on the way can read the key: only on this machine it may go without TLS."""
    asked = urlsplit(url)
    return bool(asked.hostname) and (asked.scheme == "https" or asked.scheme == "http" and asked.hostname in LOOPBACK)


def attempt(left: list[str], what: str, reply: int, *good: int) -> None:
    """Notes what could not be removed."""
    if reply not in good:
        left.append(f"{what} (answered {reply})")


def leave(world: World) -> list[str]:
    """Removes what was created. Returns a line for everything that remains."""
    operator = world.first
    stays: list[str] = []
    for refid in world.clients:
        attempt(stays, f"client {refid}", operator.delete(f"/v1/clients/{refid}").status, 204, 404)
    for reference in world.products:
        stopped = operator.patch(f"/v1/products/{reference}", {"active": False}).status
        stays.append(f"product {reference}, {'not for sale' if stopped == 200 else f'answered {stopped}'}")
    for refid in world.resellers:
        suspended = operator.post(f"/v1/resellers/{refid}/suspend").status
        state = "suspended" if suspended == 200 else f"answered {suspended}"
        stays.append(f"reseller {refid}, {state}, with its user, wallet, entries and licences")
    for refid in world.keys:
        attempt(stays, f"API key {refid}", operator.delete(f"/v1/api-keys/{refid}").status, 204, 404)
    return stays


def main() -> int:
    """Walks once. Returns 0 if every step passed."""
    url, key = "".join(sys.argv[1:2]).rstrip("/"), os.environ.pop("PURSER_OPERATOR_KEY", "")
    if not is_safe(url) or not key:
        say("usage: PURSER_OPERATOR_KEY=an operator's API key make smoke URL=https://…")
        return 2
    signal.signal(signal.SIGTERM, end)
    start, ends = time.monotonic(), datetime.now(UTC) + KEYS_LAST
    world = World(Caller(url, key=key), ADDRESS, run=f"smoke-{secrets.token_hex(3)}", keys_end=ends.isoformat())
    say(f"as {world.name('…')} on {url}")
    try:
        outcome = run(walk.steps(inside=False), world, say)
    finally:
        try:
            stays = leave(world)
        except Failure as error:
            stays = [f"anything else whose name contains {world.run}: {error}"]
        say("\n".join(["what remains:", *(f"  {line}" for line in stays or ["nothing"])]))
    say(verdict("smoke", outcome, time.monotonic() - start))
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
