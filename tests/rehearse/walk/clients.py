"""Clients: created, found, changed, and moved through their statuses."""

from caller import equal, soon
from steps import Part
from world import World, listed

PART = Part()


@PART.step("a reseller creates a client, once for each idempotency key")
def create(world: World) -> None:
    once = world.once("client")
    made = world.client(world.elite.caller, "acme", world.name("elite"), once, metadata={"segment": "SMB"},
                        client_id=f"ACME-{world.run}")
    equal("its owner", (made.json["reseller"], made.json["user"]), (world.elite.refid, None))
    equal("its tag", made.headers.get("etag"), '"1"')
    again = world.body("acme", metadata={"segment": "SMB"}, client_id=f"ACME-{world.run}")
    world.elite.caller.post("/v1/clients", again, once).replays(made)
    world.elite.caller.post("/v1/clients", {**again, "name": "x"}, once).refused(422, "idempotency_key_reused")


@PART.step("an address and an external id can be used only once")
def duplicates(world: World) -> None:
    taken = world.body("acme")
    world.other.caller.post("/v1/clients", taken).refused(409, "duplicate_email")
    body = {**taken, "email": world.email("acme-two"), "client_id": f"ACME-{world.run}"}
    world.other.caller.post("/v1/clients", body).refused(409, "duplicate_client_id")


@PART.step("an operator creates clients with and without a reseller")
def by_operator(world: World) -> None:
    made = world.client(world.operator, "resold", world.name("elite"), reseller=world.elite.refid)
    equal("its owner", made.json["reseller"], world.elite.refid)
    world.client(world.operator, "alone", "Purser")
    unknown = world.body("nowhere", reseller="RS-0000000000000000")
    world.operator.post("/v1/clients", unknown).refused(422, "invalid_reseller")


@PART.step("a client is bound to a user, and released")
def bind(world: World) -> None:
    user = world.other.user
    made = world.client(world.operator, "bound", "Purser", user=user)
    equal("its user", made.json["user"], user)
    world.operator.patch(world.path("alone"), {"user": user}).refused(409, "user_already_bound")
    equal("released", world.operator.patch(world.path("bound"), {"user": None}).expect(200).json["user"], None)
    equal("bound", world.operator.patch(world.path("alone"), {"user": user}).expect(200).json["user"], user)
    world.operator.post("/v1/clients", world.body("x", user="US-0000000000000000")).refused(422, "invalid_user")


@PART.step("a client is found by refid, address and external id")
def find(world: World) -> None:
    caller, refid = world.elite.caller, world.made["acme"]
    equal("read", caller.get(world.path("acme")).expect(200).json["refid"], refid)
    address = world.email("acme").upper().replace("@", "%40").replace("+", "%2B")
    for query in (f"email={address}", f"client_id=ACME-{world.run}"):
        equal(query, caller.get(f"/v1/clients?{query}").refids(), [refid])
        equal(f"{query}, by another", world.other.caller.get(f"/v1/clients?{query}").refids(), [])
    equal("nobody's", caller.get("/v1/clients?email=nobody%40example.com").refids(), [])


@PART.step("a client is changed only in the expected version")
def change(world: World) -> None:
    path = world.path("acme")
    body = {"phone": "+49 30 1234", "metadata": {"segment": None, "seats": 5}}
    changed = world.elite.caller.patch(path, body, if_match='"1"').expect(200)
    equal("the change", (changed.json["metadata"], changed.json["version"]), ({"seats": 5}, 2))
    world.elite.caller.patch(path, {"name": "late"}, if_match='"1"').refused(412, "version_mismatch")
    world.elite.caller.patch(path, {"metadata": {"password": "x"}}).refused(422, "sensitive_metadata")


@PART.step("a client's address is changed, which frees the old one")
def change_address(world: World) -> None:
    path, email = world.path("alone"), world.email("alone-new")
    equal("moved", world.operator.patch(path, {"email": email}).expect(200).json["email"], email)
    world.client(world.elite.caller, "alone-two", world.name("elite"), email=world.email("alone"))
    world.operator.patch(path, {"email": world.email("acme")}).refused(409, "duplicate_email")


@PART.step("a client goes through its statuses")
def statuses(world: World) -> None:
    path, email = world.path("resold"), world.email("resold")
    for action, status in (("activate", "active"), ("suspend", "suspended"), ("deactivate", "inactive")):
        equal(action, world.elite.caller.post(f"{path}/{action}").expect(200).json["status"], status)
    denied = world.elite.caller.post(f"{path}/suspend").refused(409, "status_transition_denied")
    equal("what is denied", (denied.json["from"], denied.json["allowed"]), ("inactive", ["active"]))
    world.operator.post(f"{path}/activate").expect(200)
    # One notice tells of all of these changes.
    world.expect_mail(email, f"Your {world.name('elite')} account is now active")


@PART.step("clients are listed by status and ownership, for an operator and for a reseller")
def lists(world: World) -> None:
    reseller, resold, alone = world.elite.refid, world.made["resold"], world.made["alone"]
    for query in ("", "?status=active", "?ownership=reselled", f"?reseller={reseller}&status=active",
                  "?status=active&ownership=reselled"):
        listed(world.operator, f"/v1/clients{query}", resold)
    listed(world.operator, "/v1/clients?ownership=standalone", alone)
    own = [world.made[name] for name in ("alone-two", "resold", "acme")]
    for caller, query in ((world.elite.caller, ""), (world.operator, f"?reseller={reseller}")):
        soon(f"clients{query}", lambda: caller.get(f"/v1/clients{query}").refids(), own)
    soon("active ones", lambda: world.elite.caller.get("/v1/clients?status=active").refids(), [resold])
    equal("the other reseller's", world.other.caller.get("/v1/clients").refids(), [])


@PART.step("a cursor continues a list, for its own caller only")
def pages(world: World) -> None:
    seen, cursor = [], ""
    while True:
        page = world.elite.caller.get(f"/v1/clients?limit=1{cursor}")
        seen += page.refids()
        if not page.json["next_cursor"]:
            break
        cursor = f"&cursor={page.json['next_cursor']}"
        world.other.caller.get(f"/v1/clients?limit=1{cursor}").refused(400, "invalid_cursor")
    equal("all pages", seen, world.elite.caller.get("/v1/clients").refids())
