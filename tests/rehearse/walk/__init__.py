"""The acceptance walk: everything that Purser is for, done over HTTP, in one story of many small steps.

Invariant: a step uses only what earlier steps created, and follows only what the API answers.
"""

from collections.abc import Iterable

from steps import Step, Where
from walk import accounts, clients, front, leaving, pages, parties, strangers
from walk.sales import goods, licences, money, returns
from walk.workers import checkpoints, edge, end, events, rules, seals

# Those that take long come late, because most broken templates fail before.
PARTS = (
    front, pages, parties, goods, clients, money, licences, returns, strangers, events, rules, checkpoints, accounts,
    seals, leaving, edge, end,
)


def steps(inside: bool) -> Iterable[Step]:
    """The steps for the rehearsal's own cloud, or only those for any system."""
    for part in PARTS:
        yield from (step for step in part.PART.steps if inside or step.where is Where.ANYWHERE)
