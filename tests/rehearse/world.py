"""What the steps of a walk share: who calls, what was made so far, and what must come of it.

Invariant: whatever is made is noted, so that it can be removed, and bears this run's own name, so that two runs on one
system don't meet.
"""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from caller import Caller, Reply, soon

PAGES = 20

Body = dict[str, Any]


@dataclass
class Party:
    """A reseller with a key of its own."""

    refid: str
    email: str
    user: str
    caller: Caller

    @property
    def path(self) -> str:
        """Where it is read."""
        return f"/v1/resellers/{self.refid}"


class Inside:
    """What only somebody who can look into the cloud sees. A system that is only called has no such thing."""

    def mails(self) -> Counter[tuple[str, str]]:
        """Address and subject of all mails sent so far."""
        raise NotImplementedError

    def until(self, what: str, done: Callable[[], Any]) -> Any:
        """Waits for what events cause."""
        raise NotImplementedError

    def confirm(self, user: str) -> None:
        """Confirms a login's address, for which there is no route yet."""
        raise NotImplementedError

    def token(self, to: str) -> str:
        """The token of the newest link mailed to an address; none yet: empty."""
        raise NotImplementedError

    def items(self, prefix: str) -> int:
        """How many items of the table have a partition key that begins so."""
        raise NotImplementedError

    def on_schedule(self) -> list[str]:
        """Starts what schedules start, as they would; the names of those functions."""
        raise NotImplementedError

    def unreached(self) -> list[str]:
        """The functions that did not run."""
        raise NotImplementedError

    def troubles(self) -> list[str]:
        """What was denied, crashed or logged as an error."""
        raise NotImplementedError

    def logged(self) -> list[str]:
        """What functions logged, line by line."""
        raise NotImplementedError

    def dead_letters(self) -> list[str]:
        """What events and stream records were given up."""
        raise NotImplementedError


@dataclass
class World:
    """A system, its callers, and what they made."""

    # Who has the operators' first key, or the one that was given.
    first: Caller
    # How an address is made of a name.
    address: str
    inside: Inside | None = None
    # Who operates: the same, until it makes a key of its own.
    operator: Caller = field(init=False)
    run: str = field(default_factory=lambda: secrets.token_hex(3))
    parties: dict[str, Party] = field(default_factory=dict)
    # What one step leaves to later ones, by a name.
    made: dict[str, str] = field(default_factory=dict)
    price: int = 0
    answers: dict[str, Reply] = field(default_factory=dict)
    clients: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    resellers: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    mails: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.operator = self.first

    @property
    def nobody(self) -> Caller:
        """Somebody without a key."""
        return self.operator.with_key("")

    @property
    def elite(self) -> Party:
        """The reseller whose business the walk is."""
        return self.parties["elite"]

    @property
    def other(self) -> Party:
        """A reseller that must see nothing of it."""
        return self.parties["other"]

    def email(self, name: str) -> str:
        """An address nobody has."""
        return self.address.format(f"{name}-{self.run}")

    def name(self, name: str) -> str:
        """A name that is this run's alone, and says what it is."""
        return f"Rehearsal {self.run} {name}"

    def once(self, name: str) -> str:
        """An idempotency key."""
        return f"rehearsal-{self.run}-{name}"

    def body(self, name: str, **members: Any) -> Body:
        """The body of a new client."""
        return {"name": self.name(name), "email": self.email(name), **members}

    def expect_mail(self, to: str, subject: str) -> None:
        """Notes a mail that must come."""
        self.mails[(to, subject)] += 1

    def is_welcomed(self, client: Body, brand: str) -> None:
        """Notes a client that was made, and the mail that greets it."""
        self.clients.append(client["refid"])
        self.expect_mail(client["email"], f"Welcome to {brand}")

    def client(self, caller: Caller, name: str, brand: str, once: str = "", **members: Any) -> Reply:
        """Makes a client."""
        made = caller.post("/v1/clients", self.body(name, **members), once).expect(201)
        self.is_welcomed(made.json, brand)
        self.made[name] = made.json["refid"]
        return made

    def reseller(self, name: str, once: str = "", **members: Any) -> Reply:
        """Onboards a reseller."""
        body = {"company_name": self.name(name), "email": self.email(name), "low_credit_threshold": 500, **members}
        made = self.operator.post("/v1/resellers", body, once).expect(201)
        if made.json["refid"] not in self.resellers:
            self.resellers.append(made.json["refid"])
            self.expect_mail(made.json["email"], "Your partner account with Purser")
        self.made[name] = made.json["refid"]
        return made

    def key(self, caller: Caller, once: str = "", **members: Any) -> Reply:
        """Makes an API key."""
        made = caller.post("/v1/api-keys", {"name": self.name("key"), **members}, once).expect(201)
        self.keys.append(made.json["refid"])
        return made

    def party(self, name: str, tier: str) -> Party:
        """Onboards a reseller and makes a key for it."""
        made = self.reseller(name, tier=tier)
        key = self.key(self.operator, reseller=made.json["refid"])
        party = Party(made.json["refid"], made.json["email"], made.json["user"],
                      self.operator.with_key(key.json["key"]))
        self.parties[name] = party
        return party

    def path(self, client: str) -> str:
        """Where a client is read."""
        return f"/v1/clients/{self.made[client]}"


def listed(caller: Caller, path: str, refid: str, member: str = "refid") -> None:
    """Asserts that a list shows an item, on the first page or on one after it."""
    soon(f"{path} lists {refid}", lambda: shows(caller, path, refid, member), True)


def shows(caller: Caller, path: str, refid: str, member: str) -> bool:
    """Whether a list shows an item on one of its first pages."""
    joint, cursor = "&" if "?" in path else "?", ""
    for _ in range(PAGES):
        page = caller.get(f"{path}{joint}limit=100{cursor}")
        if refid in page.refids(member):
            return True
        if not page.json["next_cursor"]:
            return False
        cursor = f"&cursor={page.json['next_cursor']}"
    return False
