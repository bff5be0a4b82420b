"""What does a scenario leave behind? A panel, every application, and the truth about them."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from prakerja_eval.panel import Panel, Roles
from prakerja_eval.panel.table import Table, Variable
from prakerja_eval.synthetic import applications, columns, funnel, records
from prakerja_eval.synthetic.codebook import codebook
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.limits import whole
from prakerja_eval.synthetic.lottery import Assignment, Round
from prakerja_eval.synthetic.process import Process, assignment, begin
from prakerja_eval.synthetic.scenario import Scenario

if TYPE_CHECKING:
    from prakerja_eval.synthetic.describe import WorldDescription
    from prakerja_eval.synthetic.truth import Truth

FEWEST, MOST = 50, 99_999_999


@dataclass(frozen=True, eq=False)
class World:
    """A simulated programme.

    Attributes
    ----------
    scenario : Scenario
    n_applicants, seed : int
    assignment : Assignment
        What the lotteries did, a row an applicant.
    panel : Panel
        A row a person and wave. Applicants whose household had already had its winners could not
        enter a lottery and are not in it.
    applications : DataFrame
        A row a person and batch.
    records : DataFrame
        A row a place that was won.
    truth : Truth
        The true value of every estimand, and what biased estimators converge to.
    """

    scenario: Scenario
    n_applicants: int
    seed: int
    process: Process
    assignment: Assignment
    rounds: tuple[Round, ...]

    def __repr__(self) -> str:
        return f"World: {self.scenario.name}, {self.n_applicants:,} applicants, seed {self.seed}"

    @cached_property
    def panel(self) -> Panel:
        """Return the panel that a researcher would have."""
        parts = columns.tables(self.process, self.assignment, self.seed)
        whole = columns.as_frame(pa.concat_tables(parts))
        return Panel(Table(whole, _labels()), roles(self.scenario))

    @cached_property
    def applications(self) -> pd.DataFrame:
        """Return every application: person, batch, stratum, number, propensity, whether it won."""
        found = applications.table(self.process, self.rounds, self.assignment)
        return columns.as_frame(found)

    @cached_property
    def records(self) -> pd.DataFrame:
        """Return what the administration has on each place: course, institution, payments."""
        parts = records.tables(self.process, self.assignment, self.seed)
        return columns.as_frame(pa.concat_tables(parts))

    @cached_property
    def truth(self) -> "Truth":
        """Return the truth, from potential outcomes."""
        from prakerja_eval.synthetic.truth import truth_of

        return truth_of(self.process, self.assignment, Draws(self.seed, 0, self.n_applicants))

    @cached_property
    def funnel(self) -> dict[str, int]:
        """Return how many people stood at each stage before the lottery."""
        return funnel.stages(self.scenario.funnel, self.n_applicants, self.seed)

    def describe(self) -> "WorldDescription":
        """Return what was simulated, layer by layer, in words and counts."""
        from prakerja_eval.synthetic.describe import describe

        return describe(self)


def simulate(scenario: Scenario | str, n_applicants: int = 10_000, seed: int = 0) -> World:
    """Simulate a programme with known truth.

    Parameters
    ----------
    scenario : Scenario or str
        A scenario, or the name of one that ships (``Scenario.names()``).
    n_applicants : int
        People who applied and were eligible. The same seed with more of them leaves the traits,
        potential outcomes and lottery numbers of the earlier ones as they were.
    seed : int
        Zero or more. The same scenario, number and seed give the same bytes.

    Returns
    -------
    World

    Raises
    ------
    UsageError
        For an unknown scenario, too few applicants, or a batch without winners or losers.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> world = pe.simulate("null", n_applicants=1_000, seed=1)
    >>> len(world.panel.units)
    1000
    """
    found = scenario if isinstance(scenario, Scenario) else Scenario.named(scenario)
    allowed(n_applicants, seed)
    process = begin(found)
    rounds: list[Round] = []
    given = assignment(process, Draws(seed, 0, n_applicants), rounds.append)
    return World(found, n_applicants, seed, process, given, tuple(rounds))


def allowed(n_applicants: int, seed: int) -> None:
    """Refuse a number of applicants or a seed that is none.

    Raises
    ------
    UsageError
    """
    whole("n_applicants", n_applicants, FEWEST, MOST)
    whole("seed", seed, 0, 2**63)


def _labels() -> dict[str, Variable]:
    """Return the labels of the panel's columns."""
    book = codebook()
    mine = book[book["table"] == "panel"]
    return {c: Variable(label) for c, label in zip(mine["column"], mine["label"], strict=True)}


def roles(scenario: Scenario) -> Roles:
    """Return the roles of the panel's columns."""
    drawn = scenario.lottery.kind != "self_selection"
    sampled = scenario.survey.mode == "in_person"
    return Roles(
        unit="person_id",
        wave="wave",
        baseline=scenario.survey.baseline,
        cohort="cohort",
        offer="offer" if drawn else None,
        received="received",
        blocks=("block",) if drawn else (),
        household="household",
        clusters=("district",) if scenario.lottery.kind == "district" else (),
        responded="responded",
        attempts="attempts",
        weight="weight" if sampled else None,
        psu="psu" if sampled else None,
        sampling_stratum="survey_stratum" if sampled else None,
    )
