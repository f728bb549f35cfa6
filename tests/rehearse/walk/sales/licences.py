"""Licences: given, listed, changed, renewed, and their keys."""

import re

from caller import Reply, equal, soon
from steps import Part
from world import World

PART = Part()
START = 10_000


def path(world: World, action: str = "") -> str:
    """Where the licence of this part is, or an action on it."""
    return f"/v1/licences/{world.made['licence']}{action}"


@PART.step("a licence is bought, and its key is shown this once")
def buy(world: World) -> None:
    party = world.party("keeper", "platinum")
    world.operator.post(f"{party.path}/credits", {"amount": START}, world.once("keeper")).expect(201)
    order = {"product": world.made["product"], "client": world.body("kept")}
    made = party.caller.post("/v1/provisions", order, world.once("kept")).expect(201).json
    world.is_welcomed(made["client"], world.name("keeper"))
    licence = made["licences"][0]
    world.made["licence"], world.made["kept"] = licence["refid"], made["client"]["refid"]
    read = party.caller.get(path(world)).expect(200).json
    shown = {**licence, "comments": None, "metadata": {}, "refused_today": 0}
    equal("the licence", {**read, "key": licence["key"]}, shown)
    equal("revealed", party.caller.post(path(world, "/reveal-key")).expect(200).json["key"], licence["key"])
    world.answers["licence"] = made
    listed = party.caller.get(f"/v1/licences?client={world.made['kept']}").expect(200).json["data"]
    equal("listed", [it["refid"] for it in listed], [licence["refid"]])


def signed(world: World, answered: Reply) -> Reply:
    """An answer to a program, which the published key must have signed."""
    signature = re.fullmatch(r'kid="(.{16})", sig="[\w-]{86}"', answered.headers.get("purser-signature", ""))
    equal("the key of the signature", signature and signature[1], world.made["signing"])
    return answered


def told(world: World, key: str) -> str:
    """What a program with a licence key is told."""
    answered = world.nobody.post("/v1/licences/validate", {"key": key, "nonce": world.run})
    return str(signed(world, answered).expect(200).json["code"])


@PART.step("anybody reads the key that signs answers")
def signing(world: World) -> None:
    (key,) = world.nobody.get("/v1/signing-keys").expect(200).json["data"]
    equal("the key", (key["use"], key["algorithm"], key["status"]), ("answers", "Ed25519", "active"))
    world.made["signing"] = key["kid"]


@PART.step("an operator activates it, and each who suspends it lifts that")
def live(world: World) -> None:
    reseller = world.parties["keeper"].caller
    key = world.answers["licence"]["licences"][0]["key"]
    equal("told before", told(world, key), "not_yet_active")
    reseller.post(path(world, "/activate")).refused(403, "forbidden")
    equal("active", world.operator.post(path(world, "/activate")).expect(200).json["status"], "active")
    for caller in (reseller, world.operator):
        caller.post(path(world, "/suspend")).expect(200)
    equal("one is left", reseller.post(path(world, "/reinstate")).expect(200).json["suspended_by"], ["operator"])
    reseller.post(path(world, "/reinstate")).refused(409, "status_transition_denied")
    equal("told while suspended", told(world, key), "suspended")
    equal("active again", world.operator.post(path(world, "/reinstate")).expect(200).json["status"], "active")
    equal("told", told(world, key), "valid")


@PART.step("a reseller notes, and an operator changes terms")
def change(world: World) -> None:
    reseller = world.parties["keeper"].caller
    noted = reseller.patch(path(world), {"comments": "Call first", "metadata": {"shop": 1}}).expect(200).json
    equal("noted", (noted["comments"], noted["metadata"]), ("Call first", {"shop": 1}))
    reseller.patch(path(world), {"parallel_uses": 9}).refused(403, "forbidden")
    equal("seats", world.operator.patch(path(world), {"parallel_uses": 9}).expect(200).json["activations"], 0)


@PART.step("an installation takes a seat, another one takes it over, and the seller takes it back")
def seats(world: World) -> None:
    reseller, key = world.parties["keeper"].caller, world.answers["licence"]["licences"][0]["key"]
    world.operator.patch(path(world), {"parallel_uses": 1}).expect(200)

    def ask(what: str, name: str, **more: str) -> Reply:
        asked = {"key": key, "fingerprint": name, **more}
        return signed(world, world.nobody.post(f"/v1/activations{what}", asked))

    ask("", "first").expect(201)
    ask("", "first").expect(200)
    ask("", "second").refused(409, "too_many_activations")
    second = ask("", "second", replace="oldest").expect(201).json["activation"]["refid"]
    ask("/heartbeat", "first").refused(409, "not_activated")
    ask("/heartbeat", "second").expect(200)
    seated = path(world, f"/activations/{second}")
    reseller.delete(seated).expect(204)
    ask("/deactivate", "first").expect(200)
    equal("nobody has a seat", reseller.get(path(world, "/activations")).expect(200).json["data"], [])
    listed = reseller.get(path(world, "/activations?ended=true")).expect(200).json["data"]
    ended = {(it["fingerprint"], it["status"], it["ended_by"]) for it in listed}
    equal("both are listed", ended, {("first", "deactivated", "replaced"), ("second", "deactivated", "vendor")})
    equal("refused", reseller.get(path(world)).expect(200).json["refused_today"], 1)


@PART.step("a renewal is paid for once, and refunding it takes the term off")
def renew(world: World) -> None:
    party, once = world.parties["keeper"], world.once("renew")
    before = party.caller.get(path(world)).expect(200).json["expires_at"]
    party.caller.post(path(world, "/renew")).refused(400, "idempotency_key_required")
    renewed = party.caller.post(path(world, "/renew"), None, once).expect(200)
    party.caller.post(path(world, "/renew"), None, once).replays(renewed)
    equal("a year later", int(renewed.json["expires_at"][:4]), int(before[:4]) + 1)
    entry = party.caller.get(f"{party.path}/entries").expect(200).json["data"][0]
    equal("the price", (entry["type"], entry["amount"]), ("debit", world.price))
    refund = f"/v1/provisions/{entry['refid']}/refund"
    left = world.operator.post(refund, None, world.once("renewal-back")).expect(200).json["licences"][0]
    equal("as before", (left["status"], left["expires_at"]), ("active", before))
    given = world.operator.post(path(world, "/renew"), None, world.once("gift")).expect(200).json
    equal("given", given["expires_at"], renewed.json["expires_at"])


@PART.step("a new key replaces the old one")
def rotate(world: World) -> None:
    reseller, once = world.parties["keeper"].caller, world.once("rotate")
    rotated = reseller.post(path(world, "/rotate-key"), None, once).expect(200)
    reseller.post(path(world, "/rotate-key"), None, once).replays(rotated)
    equal("revealed", reseller.post(path(world, "/reveal-key")).expect(200).json["key"], rotated.json["key"])
    former = world.answers["licence"]["licences"][0]["key"]
    equal("told", (told(world, rotated.json["key"]), told(world, former)), ("valid", "not_found"))
    taken = {"product": world.made["product"], "client": world.made["kept"], "key": rotated.json["key"]}
    world.operator.post("/v1/licences", taken).refused(409, "duplicate_key")


@PART.step("an operator gives a licence, and a reseller gives it to another of its clients")
def mint(world: World) -> None:
    party, once = world.parties["keeper"], world.once("mint")
    body = {"product": world.made["product"], "client": world.made["kept"], "comments": "A gift"}
    made = world.operator.post("/v1/licences", body, once).expect(201)
    world.operator.post("/v1/licences", body, once).replays(made)
    party.caller.post("/v1/licences", body).refused(403, "forbidden")
    party.caller.get(f"/v1/licences/{made.json['refid']}").refused(404, "not_found")
    waits = {"product": world.made["product"], "client_id": f"later-{world.run}"}
    equal("nobody's yet", world.operator.post("/v1/licences", waits).expect(201).json["client"], None)
    late = world.client(world.operator, "late", "Purser", client_id=waits["client_id"]).json["refid"]
    owned = f"/v1/licences?client={late}"
    soon("the licences of the client that came later", lambda: len(world.operator.get(owned).expect(200).json["data"]),
         1)
    heir = party.caller.post("/v1/clients", world.body("heir")).expect(201).json
    world.is_welcomed(heir, world.name("keeper"))
    world.made["heir"] = heir["refid"]
    moved = party.caller.post(path(world, "/transfer"), {"client": heir["refid"]}).expect(200).json
    equal("the heir's", moved["client"], heir["refid"])


@PART.step("a revoked licence has ended")
def revoke(world: World) -> None:
    reseller = world.parties["keeper"].caller
    equal("revoked", reseller.post(path(world, "/revoke")).expect(200).json["status"], "revoked")
    key = world.operator.post(path(world, "/reveal-key")).expect(200).json["key"]
    equal("told", told(world, key), "revoked")
    reseller.post(path(world, "/renew"), None, world.once("late")).refused(409, "licence_revoked")
