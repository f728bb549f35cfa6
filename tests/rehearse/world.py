"""What the steps of a walk share: the callers, what has been created so far, and the e-mails to expect.

Invariant: everything that is created is noted, so that it can be removed, and has a name with this run's own id, so
that two runs on the same system don't collide.
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
    """A reseller with an API key of its own."""

    refid: str
    email: str
    user: str
    caller: Caller

    @property
    def path(self) -> str:
        """The path of the reseller."""
        return f"/v1/resellers/{self.refid}"


class Inside:
    """A view into the cloud, for what can't be seen over HTTP. A system that is only called has none."""

    def mails(self) -> Counter[tuple[str, str]]:
        """How often each subject was sent to each address so far."""
        raise NotImplementedError

    def until(self, what: str, done: Callable[[], Any]) -> Any:
        """Waits for something that events cause."""
        raise NotImplementedError

    def confirm(self, user: str) -> None:
        """Confirms a user's address directly in the table, without a link."""
        raise NotImplementedError

    def token(self, to: str) -> str:
        """The token in the newest link sent to an address; empty if there is none yet."""
        raise NotImplementedError

    def items(self, prefix: str) -> int:
        """The number of items whose partition key begins with `prefix`."""
        raise NotImplementedError

    def waiting(self, prefix: str) -> int:
        """The number of items whose partition key begins with `prefix` and that wait for something."""
        raise NotImplementedError

    def fall_due(self, prefix: str) -> None:
        """Lets what waits in these items fall due now."""
        raise NotImplementedError

    def on_schedule(self) -> list[str]:
        """Invokes every scheduled function as its schedule would. Returns the names of the functions."""
        raise NotImplementedError

    def unreached(self) -> list[str]:
        """The functions that have not run."""
        raise NotImplementedError

    def troubles(self) -> list[str]:
        """Every denied call, failed invocation and logged error."""
        raise NotImplementedError

    def logged(self) -> list[str]:
        """The lines that functions logged."""
        raise NotImplementedError

    def secrets(self, act: str, *arguments: str) -> str:
        """What the operator's command `secrets` prints, which must succeed."""
        raise NotImplementedError

    def refused_secrets(self, act: str, *arguments: str) -> str:
        """Why the operator's command `secrets` refuses to go on, which it must."""
        raise NotImplementedError

    def key_numbers(self, kind: str) -> list[int]:
        """The numbers of the keys that a kind of seals has."""
        raise NotImplementedError

    def sent_by_edge(self) -> str:
        """What the edge sends with each request."""
        raise NotImplementedError

    def anew(self) -> None:
        """Ends every process of every function, so that the next ones read their secrets again."""
        raise NotImplementedError

    def dead_letters(self) -> list[str]:
        """The events and stream records that were given up on."""
        raise NotImplementedError


@dataclass
class World:
    """A system, its callers, and what they have created."""

    # Carries the operators' first key, or the key that the smoke test was given.
    first: Caller
    # The format of an e-mail address, with {} for a name.
    address: str
    inside: Inside | None = None
    # The operator: the same as `first`, until a step creates another API key.
    operator: Caller = field(init=False)
    run: str = field(default_factory=lambda: secrets.token_hex(3))
    parties: dict[str, Party] = field(default_factory=dict)
    # What one step leaves for later ones, by name: refids, references and secrets.
    made: dict[str, str] = field(default_factory=dict)
    price: int = 0
    # When API keys end; empty, when Purser lets them.
    keys_end: str = ""
    answers: dict[str, Reply] = field(default_factory=dict)
    clients: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    resellers: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)
    mails: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.operator = self.first

    @property
    def nobody(self) -> Caller:
        """A caller without credentials."""
        return self.operator.with_key("")

    @property
    def elite(self) -> Party:
        """The reseller that the walk is mostly about."""
        return self.parties["elite"]

    @property
    def other(self) -> Party:
        """A reseller that must not see anything of the first one's."""
        return self.parties["other"]

    def email(self, name: str) -> str:
        """An e-mail address that is unique to this run."""
        return self.address.format(f"{name}-{self.run}")

    def name(self, name: str) -> str:
        """A name that is unique to this run and shows where it comes from."""
        return f"Rehearsal {self.run} {name}"

    def once(self, name: str) -> str:
        """An idempotency key that is unique to this run."""
        return f"rehearsal-{self.run}-{name}"

    def body(self, name: str, **members: Any) -> Body:
        """The body of a request that creates a client."""
        return {"name": self.name(name), "email": self.email(name), **members}

    def expect_mail(self, to: str, subject: str) -> None:
        """Notes an e-mail that must be sent."""
        self.mails[(to, subject)] += 1

    def is_welcomed(self, client: Body, brand: str) -> None:
        """Notes a client that was created, and the e-mail that welcomes it."""
        self.clients.append(client["refid"])
        self.expect_mail(client["email"], f"Welcome to {brand}")

    def client(self, caller: Caller, name: str, brand: str, once: str = "", **members: Any) -> Reply:
        """Creates a client."""
        made = caller.post("/v1/clients", self.body(name, **members), once).expect(201)
        self.is_welcomed(made.json, brand)
        self.made[name] = made.json["refid"]
        return made

    def reseller(self, name: str, once: str = "", **members: Any) -> Reply:
        """Creates a reseller."""
        body = {"company_name": self.name(name), "email": self.email(name), "low_credit_threshold": 500, **members}
        made = self.operator.post("/v1/resellers", body, once).expect(201)
        if made.json["refid"] not in self.resellers:
            self.resellers.append(made.json["refid"])
            self.expect_mail(made.json["email"], "Your partner account with Purser")
        self.made[name] = made.json["refid"]
        return made

    def key_body(self, **members: Any) -> Body:
        """What creates an API key that ends when this world's keys do."""
        return {"name": self.name("key"), **({"expires_at": self.keys_end} if self.keys_end else {}), **members}

    def key(self, caller: Caller, once: str = "", **members: Any) -> Reply:
        """Creates an API key."""
        made = caller.post("/v1/api-keys", self.key_body(**members), once).expect(201)
        self.keys.append(made.json["refid"])
        if "chief" in self.made:
            self.expect_mail(self.email("chief"), "A new API key for Purser")
        return made

    def party(self, name: str, tier: str) -> Party:
        """Creates a reseller and an API key for it."""
        made = self.reseller(name, tier=tier)
        key = self.key(self.operator, reseller=made.json["refid"])
        party = Party(made.json["refid"], made.json["email"], made.json["user"],
                      self.operator.with_key(key.json["key"]))
        self.parties[name] = party
        return party

    def path(self, client: str) -> str:
        """The path of a client."""
        return f"/v1/clients/{self.made[client]}"


def listed(caller: Caller, path: str, refid: str, member: str = "refid") -> None:
    """Asserts that a list shows an item, on the first page or on a later one."""
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
