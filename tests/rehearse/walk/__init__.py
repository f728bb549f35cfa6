"""The acceptance walk: what Purser is for, done over HTTP, in one story of many small steps.

Invariant: a step uses only what steps before it made, and takes the answers of the API as they come.
"""

from collections.abc import Iterable

from steps import Step, Where
from walk import accounts, clients, front, goods, leaving, money, pages, parties, returns, strangers
from walk.workers import checkpoints, end, events, rules

PARTS = (
    front, pages, parties, goods, clients, money, returns, strangers, events, rules, accounts, checkpoints, leaving,
    end,
)


def steps(inside: bool) -> Iterable[Step]:
    """The steps for a cloud of one's own, or for any system."""
    for part in PARTS:
        yield from (step for step in part.PART.steps if inside or step.where is Where.ANYWHERE)
