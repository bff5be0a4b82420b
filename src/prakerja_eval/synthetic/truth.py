"""What are the true values? From potential outcomes, on the index of an Estimate."""

from dataclasses import dataclass

import pandas as pd

from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.lottery import Assignment
from prakerja_eval.synthetic.process import Process


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The true values."""

    frame: pd.DataFrame


def truth_of(process: Process, assignment: Assignment, draws: Draws) -> Truth:
    """Return the truth of a world."""
    raise NotImplementedError
