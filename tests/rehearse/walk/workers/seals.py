"""Secrets: what is sealed opens after the split of an earlier version's secret, and after its keys were replaced."""

from caller import equal
from steps import Part, Where
from walk.workers.events import inside
from world import World

PART = Part()
BOUND = {"segment": "Enterprise", "note": "sealed"}


def must_open(world: World) -> None:
    """Reads what keys of every age have sealed: metadata, licence keys, and the answers to a purchase and a top-up."""
    for refid in world.sealed:
        equal("the metadata", world.operator.get(f"/v1/clients/{refid}").expect(200).json["metadata"], BOUND)
    order = {"product": world.made["product"], "client": world.body("buyer"), "description": "First order"}
    world.elite.caller.post("/v1/provisions", order, world.once("order")).replays(world.answers["order"])
    body = {"amount": 10_000, "reference": f"INV-{world.run}", "description": "First top-up"}
    world.operator.post(f"{world.elite.path}/credits", body, world.once("top-up")).replays(world.answers["top-up"])
    for licence in world.answers["order"].json["licences"]:
        revealed = world.elite.caller.post(f"/v1/licences/{licence['refid']}/reveal-key").expect(200).json
        equal("the licence key", revealed["key"], licence["key"])


def seal(world: World, name: str) -> None:
    """Creates a client with metadata, which the newest key seals."""
    made = world.client(world.operator, name, "Purser", metadata=BOUND).json
    world.sealed.append(made["refid"])


@PART.step("an earlier version's secret was split, and seals in the older form", Where.INSIDE)
def of_the_root(world: World) -> None:
    seal(world, "sealed-before")
    equal("keys", [inside(world).key_numbers(it) for it in ("factors", "records", "licences")], [[0], [0], [0]])
    must_open(world)


@PART.step("a new key seals, and what the older one sealed opens", Where.INSIDE)
def rotated(world: World) -> None:
    inside(world).secrets("rotate", "--wait", "0")
    inside(world).anew()
    equal("keys", inside(world).key_numbers("records"), [0, 1])
    seal(world, "sealed-after")
    must_open(world)


@PART.step("everything is sealed anew, and opens without the older key", Where.INSIDE)
def resealed(world: World) -> None:
    told = inside(world).secrets("reseal", "--now")
    equal("kinds", [what for what in ("clients", "entries", "licences") if f"{what}: 0 examined" in told], [])
    inside(world).secrets("retire", "--now")
    inside(world).anew()
    equal("keys", [inside(world).key_numbers(it) for it in ("factors", "records", "licences")], [[1], [1], [1]])
    must_open(world)
