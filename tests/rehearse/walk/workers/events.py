"""What follows from changes: stream, relay, bus, rules, e-mails."""

import time
from collections import Counter

from caller import Failure, equal
from steps import Part, Where
from world import Inside, World

PART = Part()


def inside(world: World) -> Inside:
    """The view into the cloud, which the steps that run only inside it have."""
    assert world.inside is not None
    return world.inside


def arrived(world: World, part: str) -> None:
    """Waits for all expected e-mails whose subjects contain `part`, and asserts that there are no others."""

    def of(mails: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
        return Counter({mail: count for mail, count in mails.items() if part in mail[1]})

    expected = of(world.mails)
    try:
        inside(world).until(f"{expected.total()} e-mails about {part!r}", lambda: of(inside(world).mails()) >= expected)
    except Failure as error:
        raise Failure(f"{error}; missing: {expected - of(inside(world).mails())}") from error
    equal(f"unexpected e-mails about {part!r}", of(inside(world).mails()) - expected, Counter())


@PART.step("each new client gets one welcome e-mail, under its reseller's name", Where.INSIDE)
def welcome(world: World) -> None:
    arrived(world, "Welcome to")


def told(world: World, clients: int) -> None:
    """Waits until so many clients are to be told of their status, and lets that fall due."""
    inside(world).until(f"{clients} notices wait", lambda: inside(world).waiting("NO#") == clients)
    # Notices to one client are an hour apart, so the second in which they fall due tells them apart.
    time.sleep(1 - time.time() % 1)
    inside(world).fall_due("NO#")


@PART.step("many changes of a client's status lead to one e-mail, which tells the last", Where.INSIDE)
def status(world: World) -> None:
    told(world, sum("account is now" in subject for _, subject in world.mails))
    arrived(world, "account is now")


@PART.step("an API key that has expired ends", Where.INSIDE)
def expire(world: World) -> None:
    key = world.key(world.elite.caller, world.once("brief")).json["refid"]
    inside(world).fall_due(f"AK#{key}")

    def listed() -> bool:
        return key in world.elite.caller.get("/v1/api-keys").expect(200).refids()

    inside(world).until(f"{key} ends", lambda: not listed())


@PART.step("an address that bounces or complains gets no more e-mails", Where.INSIDE)
def undelivered(world: World) -> None:
    for place, mailbox in enumerate(("bounce", "complaint")):
        made = world.client(world.operator, mailbox, "Purser",
                            email=f"{mailbox}+{world.run}@simulator.amazonses.com").json
        arrived(world, "Welcome to")
        remembered = place + 1
        inside(world).until(f"{made['email']} is remembered",
                            lambda: inside(world).items("SA#") == remembered)
        world.operator.post(f"{world.path(mailbox)}/activate").expect(200)
    # This e-mail is sent after those that must not be sent; once it has arrived, they would have arrived, too.
    world.operator.post(f"{world.path('resold')}/suspend").expect(200)
    world.expect_mail(world.email("resold"), f"Your {world.name('elite')} account is now suspended")
    told(world, 3)
    arrived(world, "account is now")


@PART.step("a reseller whose credits run low gets one e-mail", Where.INSIDE)
def low_credit(world: World) -> None:
    party = world.party("low", "standard")
    world.operator.post(f"{party.path}/credits", {"amount": 510}, world.once("low")).expect(201)
    for n, cost in enumerate((10, 20)):
        order = {"cost": cost, "description": "Set-up"}
        made = party.caller.post("/v1/provisions", order, world.once(f"low-{n}")).expect(201).json
    equal("the balance", made["balance"], 480)
    world.expect_mail(party.email, "Your credit is low: 480 credits left")
    arrived(world, "credit")
