"""What must be true of the whole cloud at the end of the walk."""

import json

from caller import equal
from steps import Part, Where
from walk.workers.events import inside
from world import World

PART = Part()
# The messages that functions log for each request, each event, and each batch of changes.
FOLLOWED = {"answered", "handled", "relayed"}


@PART.step("every function of the template ran", Where.INSIDE)
def reached(world: World) -> None:
    equal("functions that did not run", inside(world).unreached(), [])


@PART.step("nothing was denied, nothing crashed, nothing logged an error", Where.INSIDE)
def untroubled(world: World) -> None:
    equal("troubles", inside(world).troubles(), [])


@PART.step("every request can be traced in the log, which contains no personal data or secret", Where.INSIDE)
def logged(world: World) -> None:
    lines = [json.loads(line) for line in inside(world).logged()]
    said = [line for line in lines if "_aws" not in line]
    lost = [line for line in said if line["message"] in FOLLOWED and not line["span"]["requestId"]]
    equal("lines without a request id", lost, [])
    equal("kinds of lines", {line["message"] for line in said} >= FOLLOWED, True)
    equal("metrics", any("ClientCreated" in line for line in lines), True)
    secrets = [world.operator.key, *(party.caller.key for party in world.parties.values()), "@", "127.0.0.1"]
    telling = [line for line in inside(world).logged() if any(secret in line for secret in secrets)]
    equal("lines with personal data or a secret", telling, [])


@PART.step("no event and no record was given up on", Where.INSIDE)
def no_dead_letters(world: World) -> None:
    equal("dead letters", inside(world).dead_letters(), [])
