"""What was simulated? Layer by layer, in words and counts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prakerja_eval.synthetic.world import World


@dataclass(frozen=True, slots=True)
class WorldDescription:
    """What a world holds."""

    text: str


def describe(world: "World") -> WorldDescription:
    """Return what was simulated."""
    raise NotImplementedError
