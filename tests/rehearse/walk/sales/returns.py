"""Purchases are refunded, and credits are transferred between wallets."""

from caller import equal, soon
from steps import Part
from world import World

PART = Part()
START = 10_000


@PART.step("a purchase is made that will be refunded")
def buy(world: World) -> None:
    party = world.party("returning", "standard")
    world.operator.post(f"{party.path}/credits", {"amount": START}, world.once("returning")).expect(201)
    order = {"product": world.made["product"], "quantity": 2, "client": world.body("returning")}
    made = party.caller.post("/v1/provisions", order, world.once("to-return")).expect(201)
    world.is_welcomed(made.json["client"], world.name("returning"))
    equal("nothing is refunded", (made.json["refunded"], made.json["refunds"]), (0, []))
    world.answers["to-return"] = made


@PART.step("a licence is refunded once, and revoked")
def refund_one(world: World) -> None:
    bought = world.answers["to-return"].json
    path, once = f"/v1/provisions/{bought['refid']}/refund", world.once("refund-one")
    body = {"licences": [bought["licences"][0]["refid"]], "description": "One too many"}
    world.parties["returning"].caller.post(path, body, once).refused(403, "forbidden")
    done = world.operator.post(path, body, once).expect(200)
    each = bought["cost"] // 2
    equal("the refund", (done.json["refunded"], done.json["refunds"][0]["type"]), (each, "refund"))
    equal("the licences", [it["status"] for it in done.json["licences"]], ["revoked", "pending"])
    equal("the purchase", done.json["entry"], bought["entry"])
    world.operator.post(path, body, once).replays(done)
    world.operator.post(path, {}, once).refused(422, "idempotency_key_reused")
    world.operator.post(path, body, world.once("refund-again")).refused(409, "already_refunded")


@PART.step("the rest is refunded, and nothing more")
def refund_rest(world: World) -> None:
    bought, party = world.answers["to-return"].json, world.parties["returning"]
    path = f"/v1/provisions/{bought['refid']}"
    done = world.operator.post(f"{path}/refund", None, world.once("refund-rest")).expect(200).json
    equal("all of it", (done["refunded"], len(done["refunds"])), (bought["cost"], 2))
    equal("read again", party.caller.get(path).expect(200).json, done)
    world.operator.post(f"{path}/refund", None, world.once("refund-more")).refused(409, "already_refunded")
    equal("the wallet", party.caller.get(f"{party.path}/wallet").expect(200).json["balance"], START)


@PART.step("a reseller transfers credits to its direct child, and to nobody else")
def transfer(world: World) -> None:
    party = world.parties["returning"]
    sub = world.reseller("returning-sub", parent=party.refid).json["refid"]
    path, once, body = f"{party.path}/transfers", world.once("transfer"), {"to": sub, "amount": 1_000}
    sent = party.caller.post(path, body, once).expect(201)
    other = sent.json["counterparty"]
    equal("the sender", (sent.json["type"], sent.json["balance_after"], other["reseller"]),
          ("transfer_out", START - 1_000, sub))
    party.caller.post(path, body, once).replays(sent)
    entries = f"/v1/resellers/{sub}/entries"
    soon("the receiver", lambda: world.operator.get(entries).refids(), [other["entry"]])
    entry = world.operator.get(entries).expect(200).json["data"][0]
    equal("its other half", entry["counterparty"], {"reseller": party.refid, "entry": sent.json["refid"]})
    for to in (world.other.refid, "RS-0000000000000000"):
        astray = party.caller.post(path, {"to": to, "amount": 1}, world.once("astray"))
        refused = astray.refused(422, "invalid_reseller")
        equal("the pointer", refused.json["errors"][0]["pointer"], "/to")
    dear = {"to": sub, "amount": START}
    party.caller.post(path, dear, world.once("dear")).refused(402, "insufficient_credits")


@PART.step("an operator transfers between any two wallets, and both ledgers are intact")
def transfer_back(world: World) -> None:
    party, sub = world.parties["returning"], world.made["returning-sub"]
    body = {"to": party.refid, "amount": 400, "description": "Back again"}
    world.operator.post(f"/v1/resellers/{sub}/transfers", body, world.once("transfer-back")).expect(201)
    for refid, entries in ((party.refid, 6), (sub, 2)):
        proof = {"intact": True, "entries": entries, "breaks": []}
        soon("intact", lambda refid=refid: world.operator.get(f"/v1/resellers/{refid}/verify").expect(200).json,
             proof)
