"""The steps of a walk, and how they are run: one line for each step as it ends, and a verdict at the end.

Invariant: the first failed step ends the run, because later steps build on it; the steps not reached are counted.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from types import FrameType

from caller import Failure
from world import World

# How many of the troubles inside the cloud are shown.
MOST_TROUBLES = 5

Act = Callable[[World], None]


def end(_number: int, _frame: FrameType | None) -> None:
    """Turns a signal to end into an exception, so that everything is cleaned up."""
    raise SystemExit(143)


def say(text: str) -> None:
    """Prints without buffering."""
    print(text, flush=True)


class Where(Enum):
    """The systems in which a step can be run."""

    ANYWHERE = "in any system"
    # The step needs a switch that is off by default, or a view into the cloud.
    INSIDE = "in the rehearsal's cloud"


@dataclass(frozen=True)
class Step:
    """A single step of the walk."""

    title: str
    act: Act
    where: Where


@dataclass(frozen=True)
class Outcome:
    """How a run ended: how many steps passed, how many were not reached, and which step failed, and why."""

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
    """Runs the steps one after another, up to the first that fails."""
    waiting = list(steps)
    for passed, step in enumerate(waiting):
        start = time.monotonic()
        try:
            step.act(world)
            if world.inside and (troubles := world.inside.troubles()):
                raise Failure(" | ".join(troubles[:MOST_TROUBLES]))
        except Exception as error:  # An answer of an unexpected shape fails the step, too.
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
