"""Does a description count what is there, tell nobody apart, and bear any name and any shape?"""

import warnings
from dataclasses import FrozenInstanceError
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import prakerja_eval as pe
from prakerja_eval.panel.describe import Description
from prakerja_eval.panel.table import Table, Variable


def four() -> pd.DataFrame:
    """Four people in three waves: b's last answer is a refusal, c has a row less, d left."""
    rows = [
        # id, wave, won, income, job, born, sure
        ("SYN-a", 1, 1, 10.0, "1", 1990, 1),
        ("SYN-a", 2, 1, 0.0, "2", 1990, 1),
        ("SYN-a", 3, 1, -5.0, "1", 1990, 1),
        ("SYN-b", 1, 0, 20.0, "1", 1980, 1),
        ("SYN-b", 2, 0, 25.0, "1", 1980, 1),
        ("SYN-b", 3, 0, np.nan, None, 1980, 1),
        ("SYN-c", 1, 1, 30.0, "2", 1970, 1),
        ("SYN-c", 3, 1, 35.0, "1", 1970, 1),
        ("SYN-d", 1, 0, 40.0, "2", 1960, 1),
        ("SYN-d", 2, 0, np.nan, None, 1960, 1),
        ("SYN-d", 3, 0, np.nan, None, 1960, 1),
    ]
    return pd.DataFrame(rows, columns=["id", "wave", "won", "income", "job", "born", "sure"])


ROLES = pe.Roles(unit="id", wave="wave", offer="won")


def described(frame: pd.DataFrame, roles: pe.Roles = ROLES) -> Description:
    return pe.Panel(frame, roles).describe()


def value(frame: pd.DataFrame, what: str, /, **where: object) -> object:
    """Return the one cell of a tidy table."""
    for key, wanted in where.items():
        same = frame[key].isna() if wanted is None else frame[key] == wanted
        frame = frame[same]
    assert len(frame) == 1
    return frame[what].iloc[0]


def many(people: int = 300, waves: int = 3, seed: int = 1) -> pd.DataFrame:
    """People in waves, with numbers of every sort and holes."""
    rng = np.random.default_rng(seed)
    n = people * waves
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"SYN-{i:06d}" for i in range(people)], waves),
            "wave": np.tile(np.arange(waves) + 2020, people),
            "won": np.repeat(rng.integers(0, 2, people), waves),
            "income": np.where(rng.random(n) < 0.2, 0, rng.lognormal(14, 1, n)),
            "change": rng.normal(size=n),
            "age": np.repeat(rng.integers(18, 65, people), waves).astype(float),
            "sector": rng.choice(["farm", "trade", "craft"], n, p=[0.6, 0.3, 0.1]),
        }
    )
    frame.loc[rng.random(n) < 0.15, "income"] = np.nan
    frame.loc[rng.random(n) < 0.10, "sector"] = None
    return frame


# who, when


def test_groups_count_rows_and_units_by_wave_and_arm() -> None:
    groups = described(four()).groups
    assert groups["rows"].sum() == 11
    assert value(groups, "rows", wave=2, arm="treatment") == 1
    assert value(groups, "units", wave=3, arm="treatment") == 2
    assert value(groups, "units", wave=3, arm="comparison") == 2


def test_coverage_counts_values_of_every_column_but_unit_wave_and_offer() -> None:
    coverage = described(four()).coverage
    assert set(coverage["column"]) == {"income", "job", "born", "sure"}
    assert value(coverage, "n", wave=3, arm="comparison", column="income") == 0
    assert value(coverage, "missing", wave=3, arm="comparison", column="income") == 2
    assert value(coverage, "n", wave=2, arm="comparison", column="born") == 2


def test_coverage_agrees_with_a_group_count() -> None:
    frame = many()
    counts = frame.groupby(["wave", "won"])[["income", "sector", "age"]].count()
    coverage = described(frame).coverage
    for (wave, won), row in counts.iterrows():
        arm = "treatment" if won else "comparison"
        for column, n in row.items():
            assert value(coverage, "n", wave=wave, arm=arm, column=column) == n


# arms


def test_arms_come_from_offer_then_cohort_then_receipt() -> None:
    frame = four().assign(
        first=[2, 2, 2, 0, 0, 0, np.nan, np.nan, np.inf, np.inf, np.inf],
        got=[0, 1, 1, 0, 0, 0, np.nan, np.nan, 0, 0, 0],
    )
    roles = {"unit": "id", "wave": "wave"}
    by_cohort = described(frame, pe.Roles(**roles, cohort="first", received="got"))
    assert by_cohort.arms_by == "cohort"
    assert by_cohort.groups.query("wave == 1")["units"].tolist() == [1, 2, 1]  # a; b, d; c
    by_receipt = described(frame, pe.Roles(**roles, received="got"))
    assert by_receipt.arms_by == "received"
    assert by_receipt.groups["arm"].unique().tolist() == ["treatment", "comparison", "unknown"]
    assert by_receipt.groups.query("wave == 1")["units"].tolist() == [1, 2, 1]
    nothing = described(frame, pe.Roles(**roles))
    assert nothing.groups["arm"].unique().tolist() == ["all"]
    assert nothing.response["difference_points"].isna().all()


def test_an_arm_is_that_of_the_unit_even_where_a_row_does_not_say_it() -> None:
    frame = four()
    frame["won"] = frame["won"].where(frame["wave"] == 1)
    groups = described(frame).groups
    assert value(groups, "units", wave=3, arm="treatment") == 2
    frame.loc[2, "won"] = 0.0  # a fault; the first value is the one that estimators take
    assert value(described(frame).groups, "units", wave=3, arm="treatment") == 2


# attrition


def test_patterns_of_presence_count_units_by_arm() -> None:
    patterns = described(four()).patterns  # a 111, b 110, c 101, d 100
    table = {
        (p, a): n
        for p, a, n in zip(*(patterns[c] for c in ("pattern", "arm", "units")), strict=True)
    }
    assert table == {
        ("111", "treatment"): 1,
        ("111", "comparison"): 0,
        ("110", "treatment"): 0,
        ("110", "comparison"): 1,
        ("101", "treatment"): 1,
        ("101", "comparison"): 0,
        ("100", "treatment"): 0,
        ("100", "comparison"): 1,
    }
    assert patterns["pattern"].tolist()[::2] == ["111", "110", "101", "100"]
    assert value(patterns, "share", pattern="101", arm="treatment") == 0.5


def test_response_is_of_all_units_of_the_arm_and_its_gap_is_in_points() -> None:
    response = described(four()).response
    assert response.query("arm == 'treatment'")["rate"].tolist() == [1.0, 0.5, 1.0]
    assert response.query("arm == 'comparison'")["rate"].tolist() == [1.0, 0.5, 0.0]
    assert response.query("arm == 'treatment'")["difference_points"].tolist() == [0, 0, 100]
    assert response.query("arm == 'comparison'")["difference_points"].isna().all()


def test_what_the_survey_says_of_a_response_goes_before_the_values() -> None:
    frame = four().assign(answered=[1, 1, 0, 1, 1, 1, 1, 1, 1, 1, np.nan])
    roles = pe.Roles(unit="id", wave="wave", offer="won", responded="answered")
    response = described(frame, roles).response
    # a did not answer in wave 3; b did, without an income; d's last row says nothing, holds nothing
    assert response.query("arm == 'treatment'")["present"].tolist() == [2, 1, 1]
    assert response.query("arm == 'comparison'")["present"].tolist() == [2, 2, 1]


def test_a_column_that_never_changes_makes_nobody_present() -> None:
    frame = four()[["id", "wave", "won", "born"]]
    frame["born"] = frame["born"].where(frame["id"] != "SYN-d")  # not in the register
    everyone = described(frame).response  # nothing changes: a row is a presence
    assert everyone["present"].sum() == 11
    register_only = four().assign(income=np.nan, job=None)
    register_only.loc[0, "income"] = 1.0
    assert described(register_only).response["present"].sum() == 1


def test_patterns_of_more_waves_than_an_integer_has_digits() -> None:
    waves = 100
    came = np.random.default_rng(5).random((40, waves)) < 0.9
    came[1] = came[0]
    came[:, 0] = True
    came[2] = came[0]
    came[2, 10] = not came[0, 10]
    unit, wave = np.nonzero(came)
    frame = pd.DataFrame(
        {"id": [f"SYN-{u}" for u in unit], "wave": wave, "y": np.arange(len(unit))}
    )
    patterns = described(frame, pe.Roles(unit="id", wave="wave")).patterns
    expected = {"".join("01"[c] for c in row) for row in came.astype(int)}
    assert set(patterns["pattern"]) == expected
    twice = "".join("01"[c] for c in came[0].astype(int))
    assert patterns["pattern"].iloc[0] == twice
    assert patterns["units"].iloc[0] == 2


# what is missing


def test_missingness_is_by_column_wave_and_arm() -> None:
    missing = described(four()).missingness
    assert set(missing["column"]) == {"income", "job", "born", "sure"}
    assert value(missing, "share", column="income", wave=2, arm="comparison") == 0.5
    assert value(missing, "share", column="income", wave=2, arm="treatment") == 0.0
    assert value(missing, "share", column="job", wave=3, arm="comparison") == 1.0


def test_reasons_are_counted_with_what_they_mean() -> None:
    frame = four()
    why = pd.Series([None] * 11, dtype=object)
    why[[5, 9, 10]] = [".r", ".r", ".z"]
    book = {"income": Variable("Income", missing={".r": "refused"})}
    table = Table(frame, book, pd.DataFrame({"income": why}))
    reasons = pe.Panel(table, ROLES).describe().reasons
    assert value(reasons, "n", wave=2, reason=".r") == 1
    assert value(reasons, "n", wave=3, reason=".z") == 1
    assert value(reasons, "meaning", wave=2, reason=".r") == "refused"
    assert reasons["n"].sum() == 3
    assert len(described(frame).reasons) == 0


# distributions


@pytest.mark.parametrize("column", ["income", "change"])
def test_moments_and_percentiles_agree_with_numpy(column: str) -> None:
    frame = many(2_000)
    table = described(frame).distributions
    for wave, part in frame.groupby("wave"):
        x = part[column].dropna().to_numpy()
        row = table[(table["column"] == column) & (table["wave"] == wave)].iloc[0]
        assert row["n"] == len(x)
        assert row["missing"] == part[column].isna().sum()
        assert row["mean"] == pytest.approx(np.mean(x), rel=1e-12)
        assert row["sd"] == pytest.approx(np.std(x, ddof=1), rel=1e-12)
        for p in (1, 5, 10, 25, 50, 75, 90, 95, 99):
            assert row[f"p{p}"] == pytest.approx(np.percentile(x, p), rel=1e-12, abs=1e-12)
        assert row["zero"] == pytest.approx(np.mean(x == 0))
        assert row["negative"] == pytest.approx(np.mean(x < 0))
        assert row["distinct"] == len(np.unique(x))


def test_a_column_that_never_changes_is_counted_once_a_unit() -> None:
    frame = many()
    people = frame.drop_duplicates("id")["age"]
    table = described(frame).distributions
    assert value(table, "n", column="age") == 300
    assert value(table, "wave", column="age") is None
    assert value(table, "mean", column="age") == pytest.approx(people.mean())


@pytest.mark.parametrize(
    ("n", "kept"),
    [
        (9, []),
        (19, []),
        (20, [50]),
        (39, [50]),
        (40, [25, 50, 75]),
        (100, [10, 25, 50, 75, 90]),
        (999, [5, 10, 25, 50, 75, 90, 95]),
        (1000, [1, 5, 10, 25, 50, 75, 90, 95, 99]),
    ],
)
def test_a_percentile_needs_ten_values_beyond_it(n: int, kept: list[int]) -> None:
    frame = pd.DataFrame({"id": [f"SYN-{i}" for i in range(n)], "y": np.arange(n) * 1.0})
    row = described(frame, pe.Roles(unit="id")).distributions.iloc[0]
    shown = [p for p in (1, 5, 10, 25, 50, 75, 90, 95, 99) if np.isfinite(row[f"p{p}"])]
    assert shown == kept
    assert not {"min", "max"} & set(row.index)


def test_moments_of_fewer_than_ten_values_are_not_printed() -> None:
    frame = pd.DataFrame({"id": [f"SYN-{i}" for i in range(9)], "pay": [87_654_321.0] * 9})
    about = described(frame, pe.Roles(unit="id"))
    assert "87,654,321" not in repr(about) + about.html()
    ten = pd.concat([frame, frame.assign(id="SYN-9").head(1)])
    assert "87,654,321" in repr(described(ten, pe.Roles(unit="id")))


def test_infinite_values_warn_nobody() -> None:
    frame = four().assign(income=np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = described(frame).distributions
    assert np.isinf(value(table, "mean", column="income", wave=None))


# codes


def coded(codes: list[str], meanings: dict[str, str] | None = None) -> Description:
    """Return the description of a cross-section with one column of codes."""
    frame = pd.DataFrame({"id": [f"SYN-{i}" for i in range(len(codes))], "c": codes})
    book = {"c": Variable("", meanings or {})}
    return pe.Panel(Table(frame, book), pe.Roles(unit="id")).describe()


def test_levels_count_codes_with_their_labels() -> None:
    levels = coded(["1"] * 12 + ["2"] * 4, {"1": "farm", "2": "trade"}).levels
    assert levels["code"].tolist() == ["1", "2"]
    assert levels["label"].tolist() == ["farm", "trade"]
    assert levels["n"].tolist() == [12, 4]
    assert levels["share"].tolist() == [0.75, 0.25]


def test_levels_of_labelled_numbers_and_people_behind_rows() -> None:
    frame = four().assign(job=four()["job"].astype(float))
    table = Table(frame, {"job": Variable("Job", {"1": "farm", "2": "trade"})})
    levels = pe.Panel(table, ROLES).describe().levels
    assert value(levels, "label", column="job", code="1") == "farm"
    assert value(levels, "n", column="job", code="1") == 5
    assert value(levels, "people", column="job", code="1") == 3  # a, b and c
    assert value(levels, "people", column="job", code="2") == 3  # a, c and d


def test_the_thirteenth_code_and_those_after_it_stand_together() -> None:
    codes = [f"k{i:02d}" for i in range(15) for _ in range(30 - i)]
    levels = coded(codes).levels
    assert levels["code"].tolist()[:12] == [f"k{i:02d}" for i in range(12)]
    assert value(levels, "codes", code=None) == 3
    assert value(levels, "n", code=None) == 18 + 17 + 16


def test_no_codes_of_ids_or_of_columns_with_more_than_fifty() -> None:
    frame = many(60, 1).assign(
        home="H1", area="V1", note=[f"note {i}" for i in range(60)], few=["yes", "no"] * 30
    )
    roles = pe.Roles(unit="id", wave="wave", household="home", clusters="area")
    assert set(described(frame, roles).levels["column"]) == {"sector", "few"}


def test_codes_of_few_people_are_pooled_and_cannot_be_had_by_subtraction() -> None:
    about = coded(["common"] * 100 + ["middle"] * 20 + ["zebra"] * 9)
    for shown in (repr(about), about.html()):
        assert "common" in shown
        assert "zebra" not in shown
        assert "middle" not in shown  # 129 - 100 - 20 would be the number of zebras
        assert "(2 other codes)" in shown
    assert "okapi" in repr(coded(["common"] * 100 + ["okapi"] * 10))
    two = coded(["common"] * 100 + ["zebra"] * 9 + ["okapi"] * 12 + ["gnu"] * 15)
    assert "gnu" in repr(two)
    assert "okapi" not in repr(two)


def test_no_cell_of_an_id_column_is_in_any_table_text_or_page() -> None:
    frame = many(100).assign(home=lambda f: "HOME-" + f["id"].str[-4:])
    roles = pe.Roles(unit="id", wave="wave", offer="won", household="home")
    about = described(frame, roles)
    tables = [getattr(about, name) for name in Description.__slots__]
    cells = " ".join(t.to_csv() for t in tables if isinstance(t, pd.DataFrame))
    for text in (cells, repr(about), about.html()):
        assert "SYN-" not in text
        assert "HOME-" not in text


# schema


def test_the_schema_tells_kind_role_label_and_constancy() -> None:
    frame = four().assign(day="2021-02-28", empty=np.nan, rate=lambda f: f["income"] / 3)
    book = {"job": Variable("Main job", {"1": "farm", "2": "trade", "3": "craft"})}
    schema = pe.Panel(Table(frame, book), ROLES).describe().schema.set_index("column")
    assert schema["kind"].to_dict() == {
        "id": "text",
        "wave": "whole number",
        "won": "whole number",
        "income": "whole number",
        "job": "text",
        "born": "whole number",
        "sure": "whole number",
        "day": "date",
        "empty": "empty",
        "rate": "number",
    }
    assert schema.loc["won", "role"] == "offer"
    assert schema.loc["job", ["label", "value_labels"]].tolist() == ["Main job", 3]
    assert schema["distinct"].to_dict() == frame.nunique().to_dict()
    assert schema.loc["income", ["missing", "missing_share"]].tolist() == [3, 3 / 11]
    assert not schema.loc[["income", "job"], "constant"].any()
    assert schema.loc[["born", "won", "day"], "constant"].all()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["2021Q1", "2021-02"], "date"),
        (["2021-02-28T13:45:00", None], "date"),
        (["1101", "1102"], "text"),  # codes of districts look like years
        ([True, False], "whole number"),
        (pd.to_datetime(["2021-01-01", None]), "date"),
        (pd.Categorical(["a", None]), "text"),
        (pd.array([1, None], dtype="Int64"), "whole number"),
        ([[1], [2]], "text"),
        ([1 + 2j, 0], "text"),
        ([None, None], "empty"),
        ([1, "x"], "text"),
    ],
)
def test_columns_of_every_type_have_a_kind(values: object, kind: str) -> None:
    frame = pd.DataFrame({"id": ["SYN-1", "SYN-2"], "x": values})
    about = described(frame, pe.Roles(unit="id"))
    assert value(about.schema, "kind", column="x") == kind
    assert repr(about)
    assert about.html()


# shapes


def test_rows_without_unit_or_wave_are_counted_apart() -> None:
    frame = four()
    frame["wave"] = frame["wave"].astype(float)
    frame.loc[0, "id"] = None
    frame.loc[10, "wave"] = np.nan
    about = described(frame)
    assert about.groups["rows"].sum() == 11
    assert about.groups[about.groups["wave"].isna()]["rows"].tolist() == [0, 1, 0]
    assert value(about.groups, "rows", wave=1.0, arm="unknown") == 1
    assert value(about.groups, "units", wave=1.0, arm="unknown") == 0
    assert about.units == 4
    assert value(about.schema, "constant", column="born")
    assert "no wave" in repr(about)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"id": ["SYN-1"]}),
        pd.DataFrame({"id": pd.Series([], dtype="str"), "y": pd.Series([], dtype=float)}),
        pd.DataFrame({"id": [None, None], "y": [1.0, 2.0]}),
        pd.DataFrame({"id": ["SYN-1", "SYN-1"], "y": [1.0, 2.0]}),
        pd.DataFrame({"id": ["SYN-1", "SYN-2"], 7: [1.0, 2.0], "all": "x", "n": 1, "arm": 2}),
    ],
)
def test_thin_and_odd_cross_sections_are_described(frame: pd.DataFrame) -> None:
    about = described(frame, pe.Roles(unit="id"))
    assert about.groups["rows"].tolist() == [len(frame)]
    assert f"{len(frame)} rows" in repr(about)
    assert about.html().startswith("<!doctype html>")
    pe.figures.coverage(about).canvas.draw()


def test_the_order_of_rows_does_not_matter() -> None:
    frame = many()
    one, other = described(frame), described(frame.sample(frac=1, random_state=3))
    for name in ("schema", "groups", "coverage", "patterns", "response", "missingness", "levels"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    pd.testing.assert_frame_equal(one.distributions, other.distributions, rtol=1e-12)


def test_a_description_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        described(four()).rows = 3  # type: ignore[misc]


# text and page


def test_the_text_has_a_hundred_columns_and_answers_in_the_analysts_order() -> None:
    long = {f"a_very_long_name_of_a_question_{k}": many()["change"] * 10.0**k for k in range(25)}
    frame = many().assign(**long)
    frame.loc[::7, list(long)] = np.nan
    text = repr(described(frame))
    lines = text.split("\n")
    assert max(map(len, lines)) <= 100
    at = [lines.index(t) for t in ("Who", "When", "Arms", "What is missing", "Distributions")]
    assert at == sorted(at)


def test_the_text_gives_the_numbers() -> None:
    lines = [" ".join(line.split()) for line in repr(described(four())).split("\n")]
    assert "11 rows, 4 units, 7 columns." in lines
    assert "3 2 100.0 0 0.0 100.0" in lines  # wave 3: present and percent by arm, difference
    assert "110 0 0.0 1 50.0" in lines
    assert "income 0.0 33.3 50.0 0.0 50.0" in lines  # by wave, then by arm


def test_a_cross_section_has_no_patterns_and_no_empty_columns_of_words() -> None:
    text = repr(described(many(30, 1).drop(columns="wave"), pe.Roles(unit="id", offer="won")))
    assert "Patterns" not in text
    assert "Label" not in text
    assert "All" in text
    table = Table(many(30, 1), {"age": Variable("Age in years")})
    assert "Label" in repr(pe.Panel(table, ROLES).describe())


def test_text_and_page_speak_indonesian() -> None:
    about = described(many())
    assert "Apa yang hilang" in about.text("id")
    page = about.html("id")
    assert '<html lang="id">' in page
    assert "Pembanding" in page
    with pytest.raises(pe.errors.UsageError, match="'en', 'id'"):
        about.html("de")


class Tags(HTMLParser):
    """Collects tags, attributes and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


HOSTILE = ("<script>alert(1)</script>", '" onmouseover="x', "</style><img src=x>", "a\x1b[31m\nb")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_labels_and_codes_are_only_shown(name: str) -> None:
    frame = many(60).rename(columns={"income": name}).assign(sector=name, wave=name)
    book = {"sector": Variable(name, {name: name}, {"9": name}), name: Variable(name)}
    why = pd.DataFrame({"sector": ["9", *[None] * 179]})
    panel = pe.Panel(Table(frame, book, why), pe.Roles(unit="id", wave="wave", offer="won"))
    about = panel.describe()
    page = about.html()
    found = Tags(page)
    assert not {"script", "img"} & set(found.tags)
    assert found.tags.count("style") == 2
    assert "onmouseover" not in found.attributes
    assert name.isprintable() == (name in found.texts)
    assert "\x1b" not in page + repr(about)
    assert Tags(about._repr_html_()).tags.count("style") == 1


def test_the_page_needs_no_other_file_and_fits_a_phone() -> None:
    page = described(many()).html()
    assert page.startswith("<!doctype html>")
    assert 'name="viewport"' in page
    found = Tags(page)
    assert not {"link", "script", "img", "iframe"} & set(found.tags)
    assert not {"src", "href"} & set(found.attributes)
    assert page.count('<div class="scroll"') == found.tags.count("table")


# figure


def texts(figure: Figure) -> list[str]:
    figure.canvas.draw()
    return [t.get_text() for t in figure.findobj(Text) if t.get_text()]


def test_the_figure_draws_rates_by_arm_and_percent_missing() -> None:
    figure = pe.figures.coverage(described(four()))
    treatment, comparison = figure.axes[0].get_lines()
    assert list(treatment.get_ydata()) == [100, 50, 100]
    assert list(comparison.get_ydata()) == [100, 50, 0]
    mesh = figure.axes[1].collections[0].get_array()
    # income, then job: nobody, one of three, two of four
    np.testing.assert_allclose(mesh, [[0, 100 / 3, 50], [0, 100 / 3, 50]])
    found = texts(figure)
    assert {"Treatment", "Comparison", "income", "job", "33"} <= set(found)
    assert "born" not in found


def test_the_figure_speaks_indonesian_and_says_synthetic() -> None:
    found = texts(pe.figures.coverage(described(four()), "id", synthetic=True))
    assert {"Pembanding", "data sintetis"} <= set(found)


def crowded(columns: int, waves: int) -> pd.DataFrame:
    frame = many(40, waves)
    rng = np.random.default_rng(2)
    names = [f"the_{k}th_question_of_a_long_block_of_questions" for k in range(columns)]
    names[0] = "<script> $\\input{x}$ a\nb"
    holes = {
        name: np.where(rng.random(len(frame)) < k / 40, np.nan, 1.0 * frame.index)
        for k, name in enumerate(names, start=1)
    }
    return pd.concat([frame, pd.DataFrame(holes)], axis=1)


@pytest.mark.parametrize(("columns", "waves"), [(2, 2), (30, 4), (30, 24), (2, 1)])
def test_nothing_reaches_out_of_the_figure(columns: int, waves: int) -> None:
    frame = crowded(columns, waves)
    figure = pe.figures.coverage(described(frame), synthetic=True)
    figure.canvas.draw()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height
    rows = len(figure.axes[1].get_yticks())
    assert rows == min(frame.isna().any().sum(), 20)


def test_the_figure_is_the_same_bytes_each_time() -> None:
    about = described(four())
    one, other = (pe.figures.as_svg(pe.figures.coverage(about)) for _ in range(2))
    assert one == other
