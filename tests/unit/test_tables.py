"""Do tables show what they must, hide what they must, and run nothing?"""

import csv
import io
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import report_fakes as fakes

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Findings
from prakerja_eval.language import Catalogue
from prakerja_eval.tables import Cell, Column, Table, csv_safe, hide_small, verdict
from prakerja_eval.tables.impact import inference_words


def cells(table: Table, key: str) -> list[str]:
    """Return what a column shows."""
    at = [c.key for c in table.columns].index(key)
    return [row[at].shown for row in table.rows]


class Tags(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


HOSTILE = ["<script>alert(1)</script>", "=HYPERLINK(A1)", "@SUM(A1)", "\\input{secret}", "+1", "-1"]


def hostile() -> Table:
    """Return a table whose every text is hostile."""
    rows = tuple((Cell(text, text), Cell(text, text)) for text in HOSTILE)
    return Table("<b>", (Column("=a", "<i>", False), Column("b", '" onload="x', False)), rows)


def test_hostile_text_is_escaped_in_html() -> None:
    page = hostile().to_html()
    assert not {"script", "b", "i"} & set(Tags(page).tags)
    assert '" onload="' not in page


def test_hostile_text_runs_in_no_spreadsheet() -> None:
    rows = list(csv.reader(io.StringIO(hostile().to_csv())))
    for cell in (c for row in rows for c in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert rows[2][0] == "'=HYPERLINK(A1)"


def test_numbers_stay_numbers_in_csv() -> None:
    table = Table("t", (Column("a", "a"),), ((Cell("x", -0.1),), (Cell("x", None),)))
    assert table.to_csv() == "a\n-0.1\n\n" or table.to_csv() == 'a\n-0.1\n""\n'


def test_hostile_text_is_no_latex_command() -> None:
    text = hostile().to_latex()
    assert "\\input" not in text
    assert "\\textbackslash{}input\\{secret\\}" in text


@pytest.mark.parametrize("text", ["=a", "+a", "-a", "@a", "\ta", "\ra"])
def test_csv_text_that_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert csv_safe(text) == f"'{text}"
    assert csv_safe(f"a{text}") == f"a{text}"


def test_an_impact_table_has_comparison_mean_n_and_clusters() -> None:
    table = pe.tables.impact(fakes.findings(), outcome="income")
    keys = {c.key for c in table.columns}
    assert {"comparison_mean", "n", "n_treated", "n_clusters", "std_error"} <= keys
    assert cells(table, "design") == ["Experiment", "Matching", "DiD", "Placebo", "Adjusted"]
    assert "*" not in table.to_html()


def test_an_impact_table_scales_shares_and_relates_them_to_the_mean() -> None:
    table = pe.tables.impact(fakes.findings(), outcome="works")
    assert cells(table, "estimate")[0] == "15.0"
    assert cells(table, "comparison_mean")[0] == "40.0"
    assert cells(table, "percent_of_mean")[0] == "37.5"  # 0.15 / 0.40
    assert cells(table, "interval")[0] == "5.0\u00a0to\u00a025.0"


def test_csv_keeps_full_precision_and_both_ends_of_an_interval() -> None:
    frame = fakes.findings().frame.assign(estimate=1 / 3, conf_low=0.1 + 0.2)
    text = pe.tables.impact(Findings(frame), outcome="income").to_csv()
    first = next(csv.DictReader(io.StringIO(text)))
    assert float(first["estimate"]) == 1 / 3
    assert float(first["conf_low"]) == 0.1 + 0.2
    assert float(first["conf_high"]) == 2500.0


def test_a_remark_is_shown_where_an_estimate_is_missing() -> None:
    frame = fakes.findings().frame
    frame.loc[0, ["estimate", "std_error"]] = np.nan
    frame["status"] = ["too few people", *frame["status"][1:]]
    table = pe.tables.impact(Findings(frame), outcome="income")
    assert cells(table, "status")[:2] == ["too few people", ""]
    assert cells(table, "estimate")[0] == "–"


def test_an_impact_table_is_about_one_outcome() -> None:
    with pytest.raises(UsageError, match="income, works"):
        pe.tables.impact(fakes.findings())
    with pytest.raises(UsageError, match="income, works"):
        pe.tables.impact(fakes.findings(), outcome="wages")


def test_a_table_works_without_a_study() -> None:
    frame = pd.DataFrame(
        {"id": list("abcdef"), "won": [1, 1, 1, 0, 0, 0], "y": [3.0, 4.0, 5.0, 1.0, 2.0, 3.0]}
    )
    panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    table = pe.tables.impact(pe.lottery.itt(panel, "y").findings())
    assert cells(table, "estimate") == ["2.00"]
    assert cells(table, "n") == ["not shown"]


@pytest.mark.parametrize("small", [1, 9])
def test_a_small_arm_is_hidden_with_the_total_that_gives_it_away(small: int) -> None:
    frame = fakes.findings().frame
    frame.loc[0, ["n_treated", "n"]] = [small, small + 120]
    hidden = hide_small(frame)
    assert hidden.loc[0, ["n_treated", "n", "n_clusters"]].isna().all()
    assert hidden.loc[0, "n_comparison"] == 120
    assert hidden.loc[1, "n"] == 200
    table = pe.tables.impact(Findings(frame), outcome="income")
    assert cells(table, "n")[:2] == ["not shown", "200"]


def test_the_mean_of_a_small_comparison_group_is_hidden() -> None:
    frame = fakes.findings().frame
    frame.loc[0, "n_comparison"] = 4
    hidden = hide_small(frame)
    assert np.isnan(hidden.loc[0, "comparison_mean"])
    assert np.isnan(hidden.loc[0, "n_comparison"])


def test_the_comparison_mean_of_a_small_treated_group_is_hidden() -> None:
    frame = fakes.findings().frame
    frame.loc[0, "n_treated"] = 1  # effect and comparison mean add up to this person's outcome
    assert np.isnan(hide_small(frame).loc[0, "comparison_mean"])


def test_ten_people_are_shown() -> None:
    frame = fakes.findings().frame
    frame.loc[0, "n_treated"] = 10
    assert hide_small(frame).loc[0, "n_treated"] == 10


def flow_frame(*counts: int) -> pd.DataFrame:
    """Return a flow of one wave with one group a count."""
    groups = [f"g{i}" for i in range(len(counts))]
    return pd.DataFrame({"group": groups, "wave": 1, "n_units": counts, "income": counts})


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ((10, 20, 300), ["10", "20", "300"]),
        ((9, 20, 300), ["not shown", "not shown", "300"]),
        ((9, 8, 300), ["not shown", "not shown", "300"]),
        ((0, 20, 300), ["0", "20", "300"]),
        ((9,), ["not shown"]),
    ],
)
def test_a_lone_small_cell_of_the_flow_takes_the_next_smallest_with_it(
    counts: tuple[int, ...], shown: list[str]
) -> None:
    table = pe.tables.flow(flow_frame(*counts))
    assert cells(table, "income") == shown
    assert "9" not in table.to_csv().replace("g9", "")


def test_a_flow_hidden_before_stays_as_it_is() -> None:
    frame = flow_frame(50, 60, 300).astype({"income": "float64"})
    frame.loc[:1, "income"] = np.nan
    assert cells(pe.tables.flow(frame), "income") == ["not shown", "not shown", "300"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 3.0, "differs"),
        (-3.0, -0.1, "differs"),
        (-0.9, 0.9, "not_apart"),
        (-1.0, 0.5, "wide"),
        (-0.5, 1.0, "wide"),
        (np.nan, np.nan, "missing"),
    ],
)
@pytest.mark.parametrize("benchmark", [1.0, -1.0])
def test_the_verdict_tells_agreement_from_ignorance(
    low: float, high: float, expected: str, benchmark: float
) -> None:
    row = pd.Series({"diff_conf_low": low, "diff_conf_high": high})
    assert verdict(row, benchmark) == expected


def test_the_agreement_table_names_each_verdict() -> None:
    table = pe.tables.agreement(fakes.agreement("income"), unit="dollars")
    assert cells(table, "verdict") == ["", "too wide to say", "differs"]
    assert cells(table, "difference") == ["–", "\N{MINUS SIGN}400", "\N{MINUS SIGN}2,100"]


def test_the_balance_table_pairs_before_and_after() -> None:
    table = pe.tables.balance(fakes.balance(), title="Matching")
    assert cells(table, "covariate") == ["Age", "Age", "schooling", "schooling"]
    assert cells(table, "stage") == ["before", "after", "before", "after"]


@pytest.mark.parametrize(
    ("label", "english"),
    [
        ("classical", "classical least squares"),
        ("HC3", "robust (HC3)"),
        ("HC2, welch", "robust (HC2), Welch degrees of freedom"),
        ("Abadie-Imbens, score taken as known", "Abadie–Imbens, score taken as known"),
        ("clustered by unit (G, t)", "clustered by person, corrected for the number of clusters"),
        (
            "multiplier bootstrap by village (999 draws)",
            "multiplier bootstrap by village (999 draws)",
        ),
        ("something new", "something new"),
    ],
)
def test_kinds_of_standard_errors_are_said_in_words(label: str, english: str) -> None:
    assert inference_words(label, Catalogue.named("en")) == english


def test_every_kind_of_standard_error_is_known_to_the_words() -> None:
    kinds = [pe.Classical(), pe.AbadieImbens(), pe.AbadieImbens("known"), pe.MultiplierBootstrap()]
    kinds += [
        pe.Robust(k, r) for k in ("HC0", "HC1", "HC2", "HC3") for r in ("t", "normal", "welch")
    ]
    kinds += [pe.Clustered("unit", c) for c in ("none", "G", "stata", "CR2", "CR3")]
    for kind in kinds:
        assert inference_words(kind.label, Catalogue.named("id")) != kind.label
