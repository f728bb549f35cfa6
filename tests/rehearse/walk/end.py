"""What must be true of the whole cloud when all is done."""

from caller import equal
from steps import Part, Where
from walk.events import inside
from world import World

PART = Part()


@PART.step("every function of the template ran", Where.INSIDE)
def reached(world: World) -> None:
    equal("functions that did not run", inside(world).unreached(), [])


@PART.step("nothing was denied, nothing crashed, nothing logged an error", Where.INSIDE)
def untroubled(world: World) -> None:
    equal("troubles", inside(world).troubles(), [])


@PART.step("nothing was given up", Where.INSIDE)
def no_dead_letters(world: World) -> None:
    equal("dead letters", inside(world).dead_letters(), [])
