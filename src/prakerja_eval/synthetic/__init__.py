"""What would a programme with known effects look like? Scenarios, worlds and their truth."""

from prakerja_eval.synthetic.codebook import codebook
from prakerja_eval.synthetic.scenario import Scenario
from prakerja_eval.synthetic.stream import stream
from prakerja_eval.synthetic.truth import Truth
from prakerja_eval.synthetic.world import World, simulate

__all__ = ["Scenario", "Truth", "World", "codebook", "simulate", "stream"]
