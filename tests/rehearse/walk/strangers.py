"""Another reseller's resource is answered exactly like one that does not exist."""

from caller import Reply, equal
from steps import Part
from world import World

PART = Part()
# Headers that differ in every answer, or are added on the way to the caller.
CHANGING = ("x-request-id", "date", "purser-cost", "apigw-requestid", "connection")


def face(reply: Reply) -> tuple[int, dict[str, str], bytes]:
    """The parts of an answer by which a caller could tell two resources apart."""
    kept = {name: value for name, value in reply.headers.items() if name not in CHANGING}
    return reply.status, kept, reply.body


def alike(world: World, method: str, path: str, theirs: str, body: object = None) -> None:
    """Asserts that the other reseller gets the same answer about `theirs` as about something that does not exist."""
    unknown = f"{theirs[:3]}0000000000000000"
    about, nothing = (world.other.caller.send(method, path.format(refid), body) for refid in (theirs, unknown))
    about.refused(404, "not_found")
    equal(f"{method} {path} of another reseller", face(about), face(nothing))


@PART.step("another reseller's client is answered like an unknown one")
def client(world: World) -> None:
    refid = world.made["acme"]
    alike(world, "GET", "/v1/clients/{}", refid)
    alike(world, "PATCH", "/v1/clients/{}", refid, {"name": "Mine"})
    alike(world, "DELETE", "/v1/clients/{}", refid)
    for action in ("activate", "suspend", "deactivate"):
        alike(world, "POST", f"/v1/clients/{{}}/{action}", refid)


@PART.step("another reseller's wallet is answered like an unknown one")
def wallet(world: World) -> None:
    for what in ("", "/wallet", "/entries", "/verify", f"/quote?product={world.made['product']}"):
        alike(world, "GET", f"/v1/resellers/{{}}{what}", world.elite.refid)
    alike(world, "GET", "/v1/clients?reseller={}", world.elite.refid)
    alike(world, "GET", "/v1/api-keys?reseller={}", world.elite.refid)


@PART.step("another reseller's purchase is answered like an unknown one")
def purchase(world: World) -> None:
    alike(world, "GET", "/v1/provisions/{}", world.made["provision"])
    order = {"product": world.made["product"], "client": world.made["acme"]}
    world.other.caller.post("/v1/provisions", order, world.once("theirs")).refused(404, "not_found")
    bare = {"reseller": world.elite.refid, "cost": 1, "description": "x"}
    world.other.caller.post("/v1/provisions", bare, world.once("theirs")).refused(404, "not_found")
    path, body = f"{world.elite.path}/transfers", {"to": world.other.refid, "amount": 1}
    world.other.caller.post(path, body, world.once("theirs")).refused(404, "not_found")
