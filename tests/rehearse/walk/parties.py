"""Resellers and their API keys."""

from caller import equal, soon
from steps import Part
from world import World, listed

PART = Part()
NOBODY = "RS-0000000000000000"


@PART.step("a reseller is created, once for each idempotency key")
def onboard(world: World) -> None:
    once, body = world.once("sub"), {"company_name": world.name("first"), "email": world.email("first")}
    made = world.operator.post("/v1/resellers", body, once).expect(201)
    world.resellers.append(made.json["refid"])
    world.made["first"] = made.json["refid"]
    world.expect_mail(world.email("first"), "Your partner account with Purser")
    world.operator.post("/v1/resellers", body, once).replays(made)
    world.operator.post("/v1/resellers", {**body, "tier": "gold"}, once).refused(422, "idempotency_key_reused")


@PART.step("resellers get API keys and read themselves")
def keys(world: World) -> None:
    for name, tier in (("elite", "platinum"), ("other", "gold")):
        party = world.party(name, tier)
        read = party.caller.get(party.path).expect(200).json
        equal("the reseller", (read["tier"], read["status"], read["parent"]), (tier, "active", None))
        wallet = party.caller.get(f"{party.path}/wallet").expect(200).json
        equal("its wallet", wallet, {"balance": 0, "low_credit_threshold": 500, "sequence": 0})


@PART.step("an address can be used by only one user")
def duplicate(world: World) -> None:
    body = {"company_name": world.name("twin"), "email": world.elite.email.upper()}
    refused = world.operator.post("/v1/resellers", body).refused(409, "duplicate_email")
    equal("the pointer", refused.json["errors"][0]["pointer"], "/email")


@PART.step("a reseller is created below another one")
def sub_reseller(world: World) -> None:
    sub = world.reseller("sub", parent=world.elite.refid).json
    equal("the parent", (sub["parent"], sub["tier"]), (world.elite.refid, "standard"))
    refused = world.operator.post("/v1/resellers", {"company_name": "x", "email": world.email("x"), "parent": NOBODY})
    refused.refused(422, "invalid_reseller")


@PART.step("resellers are listed by tier, status, parent and user, page by page")
def lists(world: World) -> None:
    elite, sub = world.elite, world.made["sub"]
    for query in ("", "?tier=platinum", "?status=active", f"?user={elite.user}"):
        listed(world.operator, f"/v1/resellers{query}", elite.refid)
    soon("by parent", lambda: world.operator.get(f"/v1/resellers?parent={elite.refid}").refids(), [sub])
    equal("by user", world.operator.get(f"/v1/resellers?user={elite.user}").refids(), [elite.refid])
    first = world.operator.get("/v1/resellers?limit=1").expect(200).json
    second = world.operator.get(f"/v1/resellers?limit=1&cursor={first['next_cursor']}").expect(200).json
    equal("two pages", first["data"][0]["refid"] != second["data"][0]["refid"], True)
    elite.caller.get("/v1/resellers").refused(403, "forbidden")


@PART.step("a reseller is changed, and its wallet with it")
def change(world: World) -> None:
    path, change = world.other.path, {"tier": "standard", "low_credit_threshold": 7, "metadata": {"region": "north"}}
    changed = world.operator.patch(path, change).expect(200).json
    equal("the change", (changed["tier"], changed["metadata"]), ("standard", {"region": "north"}))
    equal("its threshold", world.operator.get(f"{path}/wallet").json["low_credit_threshold"], 7)
    world.operator.patch(path, {"tier": "gold"}, if_match='"1"').refused(412, "version_mismatch")
    world.other.caller.patch(path, {"tier": "platinum"}).refused(403, "forbidden")


@PART.step("a suspended reseller can't create clients until it is activated")
def suspend(world: World) -> None:
    path = world.other.path
    equal("suspended", world.operator.post(f"{path}/suspend").expect(200).json["status"], "suspended")
    world.other.caller.post("/v1/clients", world.body("early")).refused(409, "reseller_suspended")
    equal("activated", world.operator.post(f"{path}/activate").expect(200).json["status"], "active")


@PART.step("an API key is shown only once")
def shown_once(world: World) -> None:
    once = world.once("key")
    made = world.key(world.elite.caller, once)
    equal("its reseller", made.json["reseller"], world.elite.refid)
    world.elite.caller.post("/v1/api-keys", world.key_body(), once).refused(409, "key_already_shown")
    world.made["key"], world.made["secret"] = made.json["refid"], made.json["key"]


@PART.step("API keys are listed by owner")
def listed_keys(world: World) -> None:
    key = world.made["key"]
    for caller, query in ((world.elite.caller, ""), (world.operator, f"?reseller={world.elite.refid}")):
        soon("the newest key", lambda: caller.get(f"/v1/api-keys{query}").refids()[:1], [key])
        shown = caller.get(f"/v1/api-keys{query}").body
        equal("the list shows its secret", world.made["secret"].split(".")[-1].encode() in shown, False)
    equal("the other reseller sees it", key in world.other.caller.get("/v1/api-keys").refids(), False)


@PART.step("a revoked API key is refused at once")
def revoke(world: World) -> None:
    shop, path = world.elite.caller.with_key(world.made["secret"]), f"/v1/api-keys/{world.made['key']}"
    world.other.caller.delete(path).refused(404, "not_found")
    shop.get("/v1/products?limit=1").expect(200)
    equal("the body", shop.delete(path).expect(204).body, b"")
    shop.get("/v1/products?limit=1").refused(401, "unauthenticated")
    world.elite.caller.delete(path).refused(404, "not_found")
