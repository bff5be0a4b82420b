"""What does a panel hold, in a few small tables? Counted here, shown by text.py and page.py."""

from dataclasses import dataclass

import pandas as pd

from prakerja_eval.language import Catalogue
from prakerja_eval.panel.describe import attrition, counts, distributions
from prakerja_eval.panel.describe.columns import columns_of
from prakerja_eval.panel.describe.look import Places, look_at
from prakerja_eval.panel.describe.page import fragment, whole_page
from prakerja_eval.panel.describe.sections import sections
from prakerja_eval.panel.describe.text import as_text
from prakerja_eval.panel.roles import Roles
from prakerja_eval.panel.table import Table


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Description:
    """A panel in small tidy tables; printed, it is a text, in a notebook a page.

    Attributes
    ----------
    rows, units : int
    arms_by : str
        What tells the arms apart: "offer" (the role), "cohort" or "received" (ever treated), or
        "all" where no role does. Arms are "treatment", "comparison" and "unknown", or "all".
    schema : DataFrame
        column, role, kind, label, distinct, missing, missing_share, constant (no unit has two
        different values), value_labels (how many). A row a column.
    groups : DataFrame
        wave, arm, rows, units.
    coverage : DataFrame
        wave, arm, column, n, missing: of every column but unit, wave and offer.
    patterns : DataFrame
        pattern ("1101": absent in the third wave), arm, units, share of the arm.
    response : DataFrame
        wave, arm, units (all of the arm), present, rate, and in the rows of the treatment arm
        ``difference_points``, treatment minus comparison in percentage points.
    missingness : DataFrame
        column, wave, arm, rows, missing, share: of the columns without role.
    reasons : DataFrame
        column, wave, arm, reason, meaning, n.
    distributions : DataFrame
        column, wave (None where the column never changes within units, which are then counted
        once), n, missing, mean, sd, p1 to p99, zero and negative (shares), distinct. A percentile
        with fewer than ten observations on either side is NaN.
    levels : DataFrame
        column, code, label, codes, n, people, share of the values: the twelve commonest codes of
        text, dates and labelled columns, and in a last row (code None) the other ones. Never of an
        id column, nor of one with more than 50 codes.

    Notes
    -----
    The tables hold exact numbers. Text and page pool the codes of fewer than ten people, and show
    no moments of fewer than ten values.
    """

    rows: int
    units: int
    arms_by: str
    schema: pd.DataFrame
    groups: pd.DataFrame
    coverage: pd.DataFrame
    patterns: pd.DataFrame
    response: pd.DataFrame
    missingness: pd.DataFrame
    reasons: pd.DataFrame
    distributions: pd.DataFrame
    levels: pd.DataFrame

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        words = Catalogue.named("en")
        return fragment(sections(self, words), words)

    def text(self, language: str = "en") -> str:
        """Return the description as text of at most 100 columns.

        Parameters
        ----------
        language : {"en", "id"}
        """
        words = Catalogue.named(language)
        return as_text(sections(self, words, short=True), words)

    def html(self, language: str = "en") -> str:
        """Return the description as a page that needs no other file.

        Parameters
        ----------
        language : {"en", "id"}
        """
        words = Catalogue.named(language)
        return whole_page(sections(self, words), words)


def describe(table: Table, roles: Roles, places: Places) -> Description:
    """Return a description of a table under its roles.

    Parameters
    ----------
    table : Table
    roles : Roles
        Their columns exist.
    places : Places
        Unit and wave of each row.
    """
    look = look_at(table, roles, places)
    columns = columns_of(look)
    present = attrition.presence(look, columns)
    return Description(
        rows=len(table.frame),
        units=look.units,
        arms_by=look.by,
        schema=counts.schema(columns),
        groups=counts.groups(look),
        coverage=counts.coverage(look, columns),
        patterns=attrition.patterns(look, present),
        response=attrition.response(look, present),
        missingness=counts.missingness(look, columns),
        reasons=counts.reasons(look),
        distributions=distributions.distributions(look, columns),
        levels=distributions.levels(look, columns),
    )
