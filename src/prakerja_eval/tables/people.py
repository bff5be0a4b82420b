"""Who is in the study, and how alike are they? The tables of flow and balance."""

from collections.abc import Mapping

import pandas as pd

from prakerja_eval.balance import Balance
from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.language import Catalogue
from prakerja_eval.language.catalogue import plain
from prakerja_eval.tables.disclosure import hide_flow
from prakerja_eval.tables.impact import number
from prakerja_eval.tables.table import Cell, Column, Table


def flow(
    frame: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    catalogue: Catalogue | None = None,
) -> Table:
    """Return the numbers of people by group and wave, none under ten.

    Parameters
    ----------
    frame : DataFrame
        group, wave, n_units, then one column an outcome with the number observed. A missing count
        counts as hidden already.
    labels : mapping, optional
        Outcome column to printed name.
    catalogue : Catalogue, optional
        English if left out.
    """
    words = catalogue or Catalogue.named("en")
    frame = frame_of(frame, ("group", "wave", "n_units"), "tables.flow", "Results.flow")
    outcomes = [str(c) for c in frame.columns if c not in ("group", "wave", "n_units")]
    names = labels or {}
    safe = hide_flow(frame, ["n_units", *outcomes])
    columns = (
        Column("group", words.text("column.group"), numeric=False),
        Column("wave", words.text("column.wave"), numeric=False),
        Column("n_units", words.text("column.n_units")),
        *(Column(o, words.text("column.observed", outcome=names.get(o, o))) for o in outcomes),
    )
    rows = tuple(
        (
            Cell(plain(row["group"]), plain(row["group"])),
            Cell(plain(row["wave"]), plain(row["wave"])),
            *(_count(row[c], words) for c in ("n_units", *outcomes)),
        )
        for row in safe.to_dict(orient="records")
    )
    return Table(words.text("caption.flow"), columns, rows)


def _count(value: object, words: Catalogue) -> Cell:
    found = number(value)
    if found is None:
        return Cell(words.text("format.hidden"), None)
    return Cell(words.number(found), int(found))


BALANCES = "the balance() of a matching or Results.balance"
MEASURES = ("mean_treated", "mean_comparison", "smd", "variance_ratio", "ecdf_mean", "ecdf_max")


def balance(
    frame: pd.DataFrame | Balance,
    *,
    title: str = "",
    labels: Mapping[str, str] | None = None,
    catalogue: Catalogue | None = None,
) -> Table:
    """Return the balance of one matching, each covariate before and after.

    Parameters
    ----------
    frame : DataFrame or Balance
        stage, covariate, mean_treated, mean_comparison, smd, variance_ratio, ecdf_mean, ecdf_max,
        of one matching.
    title : str
        Name of the matching in the caption; none if left out.
    labels : mapping, optional
        Covariate to printed name.
    catalogue : Catalogue, optional
        English if left out.

    Raises
    ------
    UsageError
        If a column is missing, or the rows are of several matchings.
    """
    words = catalogue or Catalogue.named("en")
    names = labels or {}
    frame = frame_of(frame, ("stage", "covariate", "smd"), "tables.balance", BALANCES)
    if "name" in frame and frame["name"].nunique() > 1:
        several = ", ".join(frame["name"].map(str).unique())
        raise UsageError(f"tables.balance shows one matching; choose the rows of one of {several}.")
    shown = [c for c in MEASURES if c in frame]
    columns = (
        Column("covariate", words.text("column.covariate"), numeric=False),
        Column("stage", words.text("column.stage"), numeric=False),
        *(Column(c, words.text(f"column.{c}")) for c in shown),
    )
    order = {name: i for i, name in enumerate(dict.fromkeys(frame["covariate"]))}
    stages = frame["stage"].map({"before": 0, "after": 1})
    ranked = frame.assign(_a=frame["covariate"].map(order), _b=stages).sort_values(["_a", "_b"])
    rows = tuple(
        (
            Cell(names.get(str(row["covariate"]), str(row["covariate"])), str(row["covariate"])),
            Cell(words.text(f"figure.{row['stage']}"), str(row["stage"])),
            *(_measure(row[c], words) for c in shown),
        )
        for row in ranked.to_dict(orient="records")
    )
    kind = "balance" if title else "balance_bare"
    return Table(words.text(f"caption.{kind}", label=title), columns, rows)


def _measure(value: object, words: Catalogue) -> Cell:
    found = number(value)
    digits = 0 if found is not None and abs(found) >= 100 else 2
    return Cell(words.number(found, digits), found)
