"""The steps of a walk, and their run: one line each as it ends, a verdict at the end.

Invariant: the first failed step ends the run, because the others build on it; what was not reached is counted.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from deployment.cloud import Failure
from world import World

# How much of what went wrong inside is shown.
MOST_TROUBLES = 5

Act = Callable[[World], None]


class Where(Enum):
    """In which systems a step can be taken."""

    ANYWHERE = "in any system"
    # It needs a switch that is off unless somebody sets it, or looks into the cloud.
    INSIDE = "in a cloud of one's own"


@dataclass(frozen=True)
class Step:
    """One thing that is done and looked at."""

    title: str
    act: Act
    where: Where


@dataclass(frozen=True)
class Outcome:
    """How a run ended: how many steps passed, and which one failed, why."""

    passed: int
    left: int
    failed: str = ""
    reason: str = ""


class Part:
    """Steps that belong together, in their order."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, title: str, where: Where = Where.ANYWHERE) -> Callable[[Act], Act]:
        """Adds a function as a step."""

        def add(act: Act) -> Act:
            self.steps.append(Step(title, act, where))
            return act

        return add


def run(steps: Iterable[Step], world: World, say: Callable[[str], None]) -> Outcome:
    """Takes the steps, one after the other, to the first that fails."""
    waiting = list(steps)
    for passed, step in enumerate(waiting):
        start = time.monotonic()
        try:
            step.act(world)
            if world.inside and (troubles := world.inside.troubles()):
                raise Failure(" | ".join(troubles[:MOST_TROUBLES]))
        except Exception as error:  # A step that stumbles over an answer's shape has failed like any other.
            reason = str(error) if isinstance(error, Failure) else repr(error)
            if world.inside:
                seen = [text for text in world.inside.troubles()[:MOST_TROUBLES] if text not in reason]
                reason = " | ".join([reason, *seen])
            say(f"FAILED {time.monotonic() - start:6.2f} s  {step.title}\n       {reason}")
            return Outcome(passed, len(waiting) - passed - 1, step.title, reason)
        say(f"ok     {time.monotonic() - start:6.2f} s  {step.title}")
    return Outcome(len(waiting), 0)


def verdict(name: str, outcome: Outcome, seconds: float) -> str:
    """The last line, like a test runner's."""
    failed = 1 if outcome.failed else 0
    left = f", {outcome.left} not reached" if outcome.left else ""
    return f"{name}: {outcome.passed} passed, {failed} failed{left} ({seconds:.1f} s)"
