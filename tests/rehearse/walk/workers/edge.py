"""The edge: whose address counts, with each of the secrets by which it is known."""

from caller import equal
from steps import Part, Where
from walk.accounts import mailed, password, sign_in, told
from walk.workers.events import inside
from world import World

PART = Part()


def seen_at(world: World, secret: str) -> str:
    """Signs in from another address with a secret of the edge. Returns where that was, as the sessions' list says."""
    email = world.email("edna")
    named = {"purser_edge_secret": secret, "purser_viewer_address": "198.51.100.23"}
    body = {"email": email, "password": world.made["edna"]}
    token = world.nobody.send("POST", "/v1/auth/login", body, **named).expect(200).json["token"]
    told(world, email, "New sign-in to your Purser account")
    found = world.nobody.with_key(token).get("/v1/me/sessions").expect(200).json["data"]
    return next(str(it["address"]) for it in found if it["current"])


@PART.step("behind the edge the viewer's address counts", Where.INSIDE)
def viewer(world: World) -> None:
    email, secret = world.email("edna"), password()
    world.operator.post("/v1/users", {"email": email, "name": "Edna"}).expect(201)
    token = mailed(world, email, "Your invitation to Purser")
    world.nobody.post("/v1/auth/reset-password", {"token": token, "password": secret}).expect(200)
    world.made["edna"] = secret
    sign_in(world, email, secret)
    first, address = inside(world).sent_by_edge(), "198.51.100.23"
    equal("named", [seen_at(world, first) == address, seen_at(world, "guess") == address], [True, False])


@PART.step("the viewer's address counts also while the edge's secret changes", Where.INSIDE)
def changed(world: World) -> None:
    first, address = inside(world).sent_by_edge(), "198.51.100.23"
    told_first = inside(world).secrets("edge")
    inside(world).secrets("rotate", "edge")
    equal("waits", "try again in" in inside(world).refused_secrets("edge"), True)
    equal("another version", inside(world).secrets("edge", "--now") == told_first, False)
    equal("once", "still known" in inside(world).refused_secrets("rotate", "edge"), True)
    inside(world).anew()
    second = inside(world).sent_by_edge()
    equal("both", [seen_at(world, it) == address for it in (first, second)], [True, True])
    equal("deployed first", "deploy it first" in inside(world).refused_secrets("retire", "edge"), True)
    inside(world).secrets("retire", "edge", "--now")
    inside(world).anew()
    equal("the new one", [seen_at(world, it) == address for it in (first, second)], [False, True])
