"""Credits are added and spent on licences."""

from typing import Any

from caller import equal, soon
from steps import Part
from world import World

PART = Part()
START = 10_000


@PART.step("credits are added, once for each idempotency key")
def top_up(world: World) -> None:
    path, once = f"{world.elite.path}/credits", world.once("top-up")
    body = {"amount": START, "reference": f"INV-{world.run}", "description": "First top-up"}
    entry = world.operator.post(path, body, once).expect(201)
    equal("the entry", (entry.json["type"], entry.json["sequence"], entry.json["balance_after"]), ("credit", 1, START))
    world.operator.post(path, body, once).replays(entry)
    world.operator.post(path, {**body, "amount": 1}, once).refused(422, "idempotency_key_reused")
    world.operator.post(path, body).refused(400, "idempotency_key_required")
    world.answers["top-up"] = entry


@PART.step("a reference names one entry, whatever the idempotency key")
def references(world: World) -> None:
    path, body = f"{world.elite.path}/credits", {"amount": START, "reference": f"INV-{world.run}"}
    first, same = world.answers["top-up"], {**body, "description": "First top-up"}
    for _ in range(2):
        world.operator.post(path, same, world.once("reference")).replays(first)
    world.operator.post(path, {**same, "amount": 1}, world.once("reused")).refused(409, "reference_reused")


@PART.step("a reseller can't add credits itself")
def no_own_credits(world: World) -> None:
    world.elite.caller.post(f"{world.elite.path}/credits", {"amount": 1}, "k").refused(403, "forbidden")


@PART.step("a purchase creates its new client in the same commit")
def for_new(world: World) -> None:
    order = {"product": world.made["product"], "client": world.body("buyer"), "description": "First order"}
    world.answers["order"] = made = world.elite.caller.post("/v1/provisions", order, world.once("order")).expect(201)
    sold, balance = made.json, START - world.price
    equal("the price", (sold["cost"], sold["balance"], len(sold["licences"])), (world.price, balance, 1))
    equal("the entry", (sold["entry"]["sequence"], sold["entry"]["amount"]), (2, world.price))
    equal("the owners", (sold["client"]["reseller"], sold["licences"][0]["client"]),
          (world.elite.refid, sold["client"]["refid"]))
    world.made["buyer"], world.made["provision"] = sold["client"]["refid"], sold["refid"]
    world.is_welcomed(sold["client"], world.name("elite"))


@PART.step("a repeat is answered byte for byte, and one with another body is refused")
def repeat(world: World) -> None:
    once = world.once("order")
    order = {"product": world.made["product"], "client": world.body("buyer"), "description": "First order"}
    for _ in range(2):
        world.elite.caller.post("/v1/provisions", order, once).replays(world.answers["order"])
    world.elite.caller.post("/v1/provisions", {**order, "quantity": 2}, once).refused(422, "idempotency_key_reused")
    world.elite.caller.post("/v1/provisions", order).refused(400, "idempotency_key_required")


@PART.step("several units are bought for an existing client")
def for_existing(world: World) -> None:
    order = {"reseller": world.elite.refid, "product": world.made["product"], "quantity": 2,
             "client": world.made["acme"]}
    made = world.operator.post("/v1/provisions", order, world.once("units")).expect(201).json
    equal("the price", (made["cost"], made["balance"]), (2 * world.price, START - 3 * world.price))
    equal("different keys", len({licence["key"] for licence in made["licences"]}), 2)


@PART.step("a bulk purchase for new and existing clients is one commit")
def bulk(world: World) -> None:
    bodies = [world.body(f"bulk-{n}") for n in range(3)]
    order = {"product": world.made["product"], "clients": [bodies[0], world.made["acme"], *bodies[1:]]}
    once, caller = world.once("bulk"), world.elite.caller
    made = caller.post("/v1/provisions/bulk", order, once).expect(201)
    equal("the price", (made.json["cost"], made.json["balance"]), (4 * world.price, START - 7 * world.price))
    results = [result["client"] for result in made.json["results"]]
    equal("in order", [it["email"] for it in results], [world.email(name) for name in
                                                        ("bulk-0", "acme", "bulk-1", "bulk-2")])
    for place, name in ((0, "bulk-0"), (2, "bulk-1"), (3, "bulk-2")):
        world.made[name] = results[place]["refid"]
        world.is_welcomed(results[place], world.name("elite"))
    world.answers["bulk"] = made
    caller.post("/v1/provisions/bulk", order, once).replays(made)
    fewer = {**order, "clients": order["clients"][:2]}
    caller.post("/v1/provisions/bulk", fewer, once).refused(422, "idempotency_key_reused")


@PART.step("an error with one client refuses the whole bulk purchase, and names the client")
def bulk_refused(world: World) -> None:
    product = world.made["product"]
    for clients, status, code, pointer in (
        ([world.body("free"), {**world.body("x"), "email": world.email("acme")}], 409, "duplicate_email",
         "/clients/1/email"),
        ([world.made["acme"], "CL-0000000000000000"], 404, "not_found", "/clients/1"),
    ):
        order = {"product": product, "clients": clients}
        refused = world.elite.caller.post("/v1/provisions/bulk", order, world.once("bad")).refused(status, code)
        equal("the pointer", refused.json["errors"][0]["pointer"], pointer)


def masked(shown: Any) -> Any:
    """What a purchase answered as it is read later: without the keys of licences."""
    if isinstance(shown, list):
        return [masked(item) for item in shown]
    if not isinstance(shown, dict):
        return shown
    hidden = {"key": None} if "key_hint" in shown else {}
    return {name: masked(value) for name, value in shown.items()} | hidden


@PART.step("a purchase can be read again")
def read(world: World) -> None:
    first = world.elite.caller.get(f"/v1/provisions/{world.made['provision']}").expect(200).json
    equal("the first order", first, masked(world.answers["order"].json))
    bulk = world.answers["bulk"].json
    read = world.elite.caller.get(f"/v1/provisions/{bulk['refid']}").expect(200).json
    equal("the bulk purchase", read["results"], masked(bulk["results"]))


@PART.step("a purchase beyond the balance is refused, with the balance")
def insufficient(world: World) -> None:
    order = {"product": world.made["product"], "quantity": 90, "client": world.body("dreamer")}
    refused = world.elite.caller.post("/v1/provisions", order, world.once("dear")).refused(402, "insufficient_credits")
    equal("the refusal", (refused.json["balance"], refused.json["required"]),
          (START - 7 * world.price, 90 * world.price))
    wallet = world.elite.caller.get(f"{world.elite.path}/wallet").expect(200).json
    equal("the wallet", (wallet["balance"], wallet["sequence"]), (START - 7 * world.price, 4))


@PART.step("a bare cost is debited")
def bare(world: World) -> None:
    body = {"cost": 20, "description": "Set-up by phone"}
    made = world.elite.caller.post("/v1/provisions", body, world.once("bare")).expect(201).json
    equal("the debit", (made["balance"], made["client"], made["licences"]), (START - 7 * world.price - 20, None, []))


@PART.step("a held reseller can't buy until it is released")
def held(world: World) -> None:
    path, body = world.elite.path, {"cost": 1, "description": "x"}
    equal("held", world.operator.patch(path, {"hold_provisioning": True}).expect(200).json["hold_provisioning"], True)
    world.elite.caller.post("/v1/provisions", body, world.once("held")).refused(403, "provisioning_held")
    world.operator.patch(path, {"hold_provisioning": False}).expect(200)
    world.elite.caller.post("/v1/provisions", body, world.once("held")).expect(201)


@PART.step("the ledger is listed page by page, and is verified as intact")
def ledger(world: World) -> None:
    caller, path = world.elite.caller, f"{world.elite.path}/entries"
    soon("newest first", lambda: caller.get(f"{path}?limit=4").refids("sequence"), [6, 5, 4, 3])
    page = caller.get(f"{path}?limit=4").expect(200).json
    rest = caller.get(f"{path}?limit=4&cursor={page['next_cursor']}")
    equal("the rest", rest.refids("sequence"), [2, 1])
    entries = page["data"] + rest.json["data"]
    signed = [entry["amount"] if entry["type"] == "credit" else -entry["amount"] for entry in entries]
    equal("the sum", sum(signed), caller.get(f"{world.elite.path}/wallet").expect(200).json["balance"])
    proof = {"intact": True, "entries": 6, "breaks": []}
    soon("the proof", lambda: caller.get(f"{world.elite.path}/verify").expect(200).json, proof)
