"""Clients move and are deleted; what was sold remains."""

from caller import equal, soon
from steps import Part, Where
from walk.workers.events import inside
from world import World

PART = Part()


@PART.step("a client moves to another reseller, and to none")
def transfer(world: World) -> None:
    path = world.path("acme")
    to = {"reseller": world.other.refid}
    world.elite.caller.post(f"{path}/transfer", to).refused(403, "forbidden")
    equal("moved", world.operator.post(f"{path}/transfer", to).expect(200).json["reseller"], world.other.refid)
    world.elite.caller.get(path).refused(404, "not_found")
    soon("there", lambda: world.other.caller.get("/v1/clients").refids(), [world.made["acme"]])
    equal("alone", world.operator.post(f"{path}/transfer", {"reseller": None}).expect(200).json["reseller"], None)
    nobody = {"reseller": "RS-0000000000000000"}
    world.operator.post(f"{path}/transfer", nobody).refused(422, "invalid_reseller")


@PART.step("a deleted client is gone, its licences remain and its address is free")
def delete(world: World) -> None:
    path = world.path("buyer")
    equal("nothing", world.elite.caller.delete(path).expect(204).body, b"")
    world.elite.caller.get(path).refused(404, "not_found")
    sold = world.elite.caller.get(f"/v1/provisions/{world.made['provision']}").expect(200).json
    equal("what remains", (sold["client"], sold["licences"][0]["client"]), (None, world.made["buyer"]))
    again = world.elite.caller.post("/v1/clients", world.body("buyer-two", email=world.email("buyer"))).expect(201)
    world.clients.append(again.json["refid"])


@PART.step("a deleted client releases its user")
def delete_bound(world: World) -> None:
    world.operator.delete(world.path("alone")).expect(204)
    user = world.other.user
    bound = world.operator.patch(world.path("bound"), {"user": user}).expect(200)
    equal("bound again", bound.json["user"], user)


@PART.step("many clients are deleted, each one separately")
def delete_many(world: World) -> None:
    gone = [world.made["buyer"], world.made["alone"]]
    present = [refid for refid in world.clients if refid not in gone]
    world.elite.caller.post("/v1/clients/bulk-delete", {"clients": present}).refused(403, "forbidden")
    asked = {"clients": [*gone, *present]}
    results = world.operator.post("/v1/clients/bulk-delete", asked).expect(200).json["results"]
    told = [(result["client"], result["deleted"]) for result in results]
    equal("each", told, [*((refid, False) for refid in gone), *((refid, True) for refid in present)])
    soon("nobody is left", lambda: world.elite.caller.get("/v1/clients").refids(), [])
    world.clients.clear()


@PART.step("what was answered about deleted clients is erased, and a repeat does nothing", Where.INSIDE)
def erased(world: World) -> None:
    shop = world.elite.caller
    created = world.body("acme", metadata={"segment": "SMB"}, client_id=f"ACME-{world.run}")
    bought = {"product": world.made["product"], "client": world.body("buyer"), "description": "First order"}
    for path, body, once, entry in (("/v1/clients", created, "client", None),
                                    ("/v1/provisions", bought, "order", world.made["provision"])):
        key = world.once(once)
        inside(world).until(f"{path}: the answer is erased", lambda: shop.post(path, body, key).status == 409)
        equal("the entry", shop.post(path, body, key).refused(409, "answer_erased").json.get("entry"), entry)
    inside(world).fall_due("ER#")
    inside(world).until("no erasure waits", lambda: inside(world).waiting("ER#") == 0)


@PART.step("every ledger is still intact")
def verify(world: World) -> None:
    for party in world.parties.values():
        path = f"{party.path}/verify"
        soon("intact", lambda: world.operator.get(path).expect(200).json["intact"], True)
