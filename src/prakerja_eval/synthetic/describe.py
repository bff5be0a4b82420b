"""What was simulated? Layer by layer, in words and counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING

import pandas as pd

from prakerja_eval.synthetic.describe_lottery import batches, funnel, kept_out, places
from prakerja_eval.synthetic.describe_survey import effects, response

if TYPE_CHECKING:
    from prakerja_eval.synthetic.world import World

WIDTH = 100
POINTS = ("employed",)
WEIGHTING = (
    "ITT and LATE: each lottery block weighs by its people. ATT: each person who received weighs "
    "alike."
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WorldDescription:
    """What a world holds, in small tidy tables; printed, it is a text, in a notebook a page.

    Attributes
    ----------
    title, account : str
    about : tuple of str
        Paragraphs: what the scenario is, and what was simulated.
    funnel : DataFrame
        stage, people, passed (share of the stage before).
    batches : DataFrame
        batch, opened, applicants, again (of them, who had applied before), quota, winners, odds
        (of all, of first applications ``odds_first``, of later ones ``odds_again``), passed_over
        (whose number would have won, had their household not had its winners already).
    kept_out : int
        People who could never enter a lottery, since their household had its winners.
    places : DataFrame
        what, people, of (what they are a part of), share: places won, revoked, used.
    response : DataFrame
        wave, mode, arm (offered or not at the first application), people, answered (share), and
        of those who answered: on_record, received (shares), and says_so, the share who report
        receipt among those on record. Shares of people, without sampling weights.
    effects : DataFrame
        estimand, population, outcome, wave, truth: on work (a share) and monthly earnings (Rp) in
        the last wave.
    """

    title: str
    account: str
    about: tuple[str, ...]
    funnel: pd.DataFrame
    batches: pd.DataFrame
    kept_out: int
    places: pd.DataFrame
    response: pd.DataFrame
    effects: pd.DataFrame

    def __repr__(self) -> str:
        lines = [self.title, "=" * len(self.title)]
        for paragraph in self.about:
            lines += ["", *wrap(paragraph, WIDTH)]
        for heading, table, note in self._sections():
            body = table.to_string(index=False).splitlines()
            lines += ["", heading, "-" * len(heading), *(line.rstrip() for line in body)]
            lines += wrap(note, WIDTH)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [f"<h3>{escape(self.title)}</h3>"]
        parts += [f"<p>{escape(paragraph)}</p>" for paragraph in self.about]
        for heading, table, note in self._sections():
            parts += [f"<h4>{escape(heading)}</h4>", table.to_html(index=False, border=0)]
            parts += [f"<p>{escape(note)}</p>"] if note else []
        return "\n".join(parts)

    def _sections(self) -> Iterator[tuple[str, pd.DataFrame, str]]:
        """Give each table with its heading and a note, numbers as text."""
        yield "Before the lottery", _shown(self.funnel), ""
        note = ""
        if self.kept_out or self.batches["passed_over"].any():
            note = (
                f"Passed over in a draw since their household had its winners: "
                f"{self.batches['passed_over'].sum():,}. Kept out of every lottery for that "
                f"reason: {self.kept_out:,}; they are not in the panel."
            )
        yield "Batches", _shown(self.batches), note
        yield "What became of the places", _shown(self.places), ""
        yield "Who answered, and what they said", _shown(self.response), ""
        yield "True effects in the last wave", _effects_shown(self.effects), WEIGHTING


def describe(world: "World") -> WorldDescription:
    """Return what was simulated, layer by layer.

    Parameters
    ----------
    world : World

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> pe.simulate("null", n_applicants=1_000, seed=1).describe().kept_out
    0
    """
    scenario = world.scenario
    simulated = (
        f"Synthetic: {world.n_applicants:,} simulated applicants, seed {world.seed}. "
        "Nobody in it is real."
    )
    account = f"Account of the published answers: {scenario.account}." if scenario.account else ""
    about = (" ".join(scenario.about.split()), account, simulated)
    return WorldDescription(
        title=f"{scenario.title} (synthetic)",
        account=scenario.account,
        about=tuple(paragraph for paragraph in about if paragraph),
        funnel=funnel(world),
        batches=batches(world),
        kept_out=kept_out(world),
        places=places(world),
        response=response(world),
        effects=effects(world),
    )


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as text: counts with separators, shares in percent, heads in words."""
    cells = {str(name).replace("_", " "): _texts(table[name]) for name in table.columns}
    return pd.DataFrame(cells)


def _texts(column: pd.Series) -> list[str]:
    if column.name == "batch":
        return [str(v) for v in column]
    if pd.api.types.is_float_dtype(column):
        return ["" if pd.isna(v) else f"{100 * v:.1f} %" for v in column]
    if pd.api.types.is_integer_dtype(column):
        return ["" if pd.isna(v) else f"{v:,}" for v in column]
    return [str(v) for v in column]


def _effects_shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the effects as text: work in percentage points, earnings in rupiah."""
    values = [
        f"{100 * v:+.2f} points" if outcome in POINTS else f"Rp {v:+,.0f} a month"
        for outcome, v in zip(table["outcome"], table["truth"], strict=True)
    ]
    return table.assign(truth=values)
