"""The rules behind the three switches, which are on in a rehearsal."""

from typing import Any

from caller import equal
from steps import Part, Where
from walk.workers.events import arrived, inside
from world import World

PART = Part()


def becomes(world: World, path: str, member: str, value: Any) -> None:
    """Waits until a member of what is read at `path` has this value."""

    def seen() -> bool:
        return bool(world.operator.get(path).expect(200).json[member] == value)

    inside(world).until(f"{path}: {member} becomes {value!r}", seen)


@PART.step("a reseller whose credits ran low is held", Where.INSIDE)
def hold(world: World) -> None:
    party = world.parties["low"]
    becomes(world, party.path, "hold_provisioning", True)
    order = {"cost": 1, "description": "x"}
    party.caller.post("/v1/provisions", order, world.once("low-held")).refused(403, "provisioning_held")


@PART.step("a top-up releases the reseller, which can buy again", Where.INSIDE)
def release(world: World) -> None:
    party = world.parties["low"]
    world.operator.post(f"{party.path}/credits", {"amount": 100}, world.once("release")).expect(201)
    becomes(world, party.path, "hold_provisioning", False)
    order = {"cost": 1, "description": "x"}
    made = party.caller.post("/v1/provisions", order, world.once("low-held")).expect(201).json
    equal("the balance", made["balance"], 579)


@PART.step("anyone may apply to become a reseller, and every application gets the same answer", Where.INSIDE)
def apply(world: World) -> None:
    body = {"company_name": world.name("Nova"), "email": world.email("nova")}
    first, again = (world.nobody.post("/v1/resellers/sign-up", body).expect(202) for _ in range(2))
    equal("the answer", (first.json, first.body), ({"status": "received"}, again.body))
    world.expect_mail(world.email("nova"), "Your application to become a partner of Purser")
    arrived(world, "Your application")


@PART.step("an applicant may trade once an operator has approved it", Where.INSIDE)
def approve(world: World) -> None:
    pending = world.operator.get("/v1/resellers?status=pending").expect(200).json["data"]
    refid = next(it["refid"] for it in pending if it["email"] == world.email("nova"))
    world.resellers.append(refid)
    client = world.body("nova-client", reseller=refid)
    world.operator.post("/v1/clients", client).refused(409, "reseller_pending")
    equal("approved", world.operator.post(f"/v1/resellers/{refid}/activate").expect(200).json["status"], "active")
    world.expect_mail(world.email("nova"), "You are now a partner of Purser")
    world.expect_mail(world.email("nova"), "Your partner account with Purser")
    arrived(world, "You are now a partner")
    world.client(world.operator, "nova-client", world.name("Nova"), reseller=refid)


@PART.step("a new client is bound to the confirmed user with its address", Where.INSIDE)
def bind(world: World) -> None:
    for name in ("sign-in-one", "sign-in-two", "sign-in-three"):
        invited = {"email": world.email(name), "name": world.name(name)}
        world.made[f"user-{name}"] = user = world.operator.post("/v1/users", invited).expect(201).json["refid"]
        world.expect_mail(world.email(name), "Your invitation to Purser")
        inside(world).confirm(user)
    made = world.client(world.operator, "sign-in-one", "Purser")
    equal("its user", made.json["user"], world.made["user-sign-in-one"])
    order = {"product": world.made["product"], "client": world.body("sign-in-three")}
    sold = world.elite.caller.post("/v1/provisions", order, world.once("sign-in-three")).expect(201).json["client"]
    world.is_welcomed(sold, world.name("elite"))
    equal("a reseller does not see", sold["user"], None)
    bound = world.operator.get(f"/v1/clients/{sold['refid']}").expect(200).json["user"]
    equal("its user", bound, world.made["user-sign-in-three"])


@PART.step("clients of a bulk purchase are bound a moment later", Where.INSIDE)
def bind_later(world: World) -> None:
    order = {"product": world.made["product"], "clients": [world.body("sign-in-two")]}
    made = world.elite.caller.post("/v1/provisions/bulk", order, world.once("sign-in")).expect(201).json
    client = made["results"][0]["client"]
    world.is_welcomed(client, world.name("elite"))
    becomes(world, f"/v1/clients/{client['refid']}", "user", world.made["user-sign-in-two"])


@PART.step("no unexpected e-mail was sent", Where.INSIDE)
def all_mails(world: World) -> None:
    arrived(world, "")
