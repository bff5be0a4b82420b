"""What do the figures, tables and reports read? The tidy table after inference."""

from dataclasses import dataclass, replace
from html import escape

import numpy as np
import pandas as pd

from prakerja_eval.estimate.estimate import INDEX_COLUMNS

FINDINGS_COLUMNS = (
    *INDEX_COLUMNS,
    "estimate",
    "std_error",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
    "band_low",
    "band_high",
    "p_adjusted",
    "df",
    "inference",
    "family",
    "unit",
    "truth",
    "n",
    "n_treated",
    "n_comparison",
    "n_clusters",
    "comparison_mean",
    "status",
)
PRINTED = (
    "truth",
    "estimate",
    "std_error",
    "conf_low",
    "conf_high",
    "band_low",
    "band_high",
    "p_value",
    "p_adjusted",
    "comparison_mean",
    "n",
    "n_clusters",
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Findings:
    """The tidy table: a row a parameter, one set of columns for every estimator.

    Attributes
    ----------
    frame : DataFrame
        The index columns, then estimate, std_error, statistic, p_value, conf_low, conf_high,
        band_low, band_high, p_adjusted, df, inference, family, unit, truth, n, n_treated,
        n_comparison, n_clusters, comparison_mean, status.
    level : float
        Coverage of the intervals and bands.
    """

    frame: pd.DataFrame
    level: float = 0.95

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        note = escape(self._note())
        body = self._printed().to_html(index=False, border=0, na_rep="", escape=True)
        return f"{body}<p>{note}</p>"

    def tidy(self) -> pd.DataFrame:
        """Return a copy of the frame."""
        return self.frame.copy()

    def with_columns(self, **values: object) -> "Findings":
        """Return the findings with columns such as ``unit`` or ``truth`` filled in."""
        return replace(self, frame=self.frame.assign(**values))

    def summary(self) -> str:
        """Return the table as text: labels that differ, the estimates, and how they were made."""
        return f"{self._printed().to_string(index=False, na_rep='')}\n{self._note()}"

    def to_latex(self) -> str:
        """Return a booktabs table with names escaped for LaTeX."""
        printed = self._printed().rename(columns=lambda c: str(c).replace("_", " "))
        style = printed.style.hide(axis="index").format(escape="latex", na_rep="")
        return str(style.to_latex(hrules=True))

    def _printed(self) -> pd.DataFrame:
        """Format the columns worth a reader's look."""
        frame = self.frame
        several = [c for c in INDEX_COLUMNS if frame[c].map(str).nunique() > 1]
        labels = several or ["estimator", "outcome"]
        numbers = [c for c in PRINTED if frame[c].notna().any()]
        out = pd.DataFrame({c: frame[c].map(_word) for c in labels})
        for column in numbers:
            out[column] = frame[column].map(_number)
        if (frame["status"] != "ok").any():
            out["status"] = frame["status"]
        return out

    def _note(self) -> str:
        """State what the rows have in common and how the intervals were made."""
        frame = self.frame
        common = []
        for column in ("estimand", "population", "outcome", "wave", "weighting"):
            values = frame[column].map(str).unique()
            if len(values) == 1 and values[0] != "None":
                common.append(f"{column}: {_word(frame[column].iloc[0])}")
        how = "; ".join(dict.fromkeys(frame["inference"]))
        return f"{', '.join(common)}. Intervals {self.level:.0%}; inference: {how}."


def _word(value: object) -> str:
    """Print a label, an empty one for None and whole waves without a decimal."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    """Print a number with four significant digits, counts whole."""
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    size = abs(float(value))
    return f"{value:,.1f}" if size >= 1_000 else f"{value:.4g}"
