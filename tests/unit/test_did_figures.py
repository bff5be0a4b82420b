"""Do figures of difference-in-differences show what they are given, and refuse what misleads?"""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Findings
from prakerja_eval.estimate.findings import FINDINGS_COLUMNS
from prakerja_eval.figures import parts
from prakerja_eval.language import Catalogue

ID = Catalogue.named("id")
UNIVERSAL = "unconditional, never treated, base universal"
VARYING = "unconditional, never treated, base varying"
LONG = "A very long name of a group of people in the programme, with many words"
NAN = np.nan


def row(**values: object) -> dict[str, object]:
    """Return one row of findings."""
    nothing = dict.fromkeys(("std_error", "conf_low", "conf_high", "band_low", "band_high"), NAN)
    base = dict.fromkeys(FINDINGS_COLUMNS) | nothing
    base |= {"estimator": "did.event_study", "outcome": "income", "unit": "rupiah", "status": "ok"}
    return base | values


def made(rows: list[dict[str, object]], level: float = 0.95) -> Findings:
    return Findings(pd.DataFrame(rows), level)


def times(*at: float, base: float | None = -1, scale: float = 1e5, **labels: object) -> list:
    """Return rows with an estimate of ``scale`` times event time plus two, and round intervals."""
    rows = []
    for t in at:
        if t == base:
            rows.append(row(event_time=t, estimate=0.0, status="reference", **labels))
            continue
        e = scale * (t + 2)
        ends = {"conf_low": e - scale, "conf_high": e + 2 * scale}
        bands = {"band_low": e - 3 * scale, "band_high": e + 4 * scale}
        rows.append(row(event_time=t, estimate=e, **ends, **bands, **labels))
    return rows


def grid(cohorts: list, waves: list, **labels: object) -> list[dict[str, object]]:
    """Return a cell a cohort and wave after the first: 100,000 after the start, 0 before."""
    return [
        row(
            estimator="did.group_time",
            cohort=c,
            wave=w,
            event_time=float(j - waves.index(c)),
            estimate=1e5 if j >= waves.index(c) else -2e4,
            **labels,
        )
        for c in cohorts
        for j, w in enumerate(waves)
        if j
    ]


def means(cohorts: list, waves: list) -> pd.DataFrame:
    rows = [
        ("income", c, w, 50, 2e6 + 1e5 * j + 5e4 * k, 3e4)
        for k, c in enumerate(cohorts)
        for j, w in enumerate(waves)
    ]
    return pd.DataFrame(rows, columns=["outcome", "cohort", "wave", "n", "mean", "std_error"])


def comparisons() -> pd.DataFrame:
    rows = [
        (2021, None, "treated against never treated", 0.5, 100.0),
        (2022, None, "treated against never treated", 0.2, 200.0),
        (2021, 2022, "earlier against later", 0.2, 300.0),
        (2022, 2021, "later against already treated", 0.1, -400.0),
    ]
    return pd.DataFrame(rows, columns=["treated", "comparison", "kind", "weight", "estimate"])


def robust(kind: str = "relative magnitudes", method: str = "conditional-hybrid") -> pd.DataFrame:
    rows = [("none", "normal", NAN, 20.0, 80.0, "ok")]
    rows += [(kind, method, m, 20.0 - 30 * m, 80.0 + 30 * m, "ok") for m in (0.5, 1.0, 1.5)]
    return pd.DataFrame(
        rows, columns=["restriction", "method", "m", "conf_low", "conf_high", "status"]
    )


def statuses(cohorts: list, waves: list, n: float = 1234.0) -> pd.DataFrame:
    rows = [
        (c, w, "treated" if c is not None and j >= waves.index(c) else "not yet treated", n)
        for c in cohorts
        for j, w in enumerate(waves)
    ]
    frame = pd.DataFrame(rows, columns=["cohort", "wave", "status", "n"])
    frame.loc[frame["cohort"].isna(), "status"] = "never treated"
    return frame


MONTHS = [f"{2020 + k // 12}-{k % 12 + 1:02d}" for k in range(24)]


def draw(kind: str, **options: object) -> Figure:
    """Return one plain figure of each kind."""
    verb = getattr(pe.figures, kind)
    given = {
        "event_study": made(times(-2, -1, 0, 1, specification=UNIVERSAL)),
        "cohort_paths": means([2021, 2022, None], [2020, 2021, 2022]),
        "cells": made(grid([2021, 2022], [2019, 2020, 2021, 2022])),
        "bacon": comparisons(),
        "sensitivity": robust(),
        "status_map": statuses([2021, 2022, None], [2020, 2021, 2022]),
    }
    return verb(given[kind], **options)


def crowded(kind: str) -> Figure:
    """Return a figure with 20 cohorts in 24 months or many series, long names, NaN, and a mark."""
    verb = getattr(pe.figures, kind)
    rows = times(*range(-11, 12), specification=f"{UNIVERSAL}, {LONG}")
    rows += [r | {"specification": f"{UNIVERSAL}, other {LONG}"} for r in rows]
    rows[3] |= {"estimate": NAN, "conf_low": NAN, "conf_high": NAN, "band_low": NAN}
    cells = grid(MONTHS[3:23], MONTHS)
    cells[5]["estimate"] = NAN
    cohorts = [*MONTHS[3:23], None]
    paths, map_ = means(cohorts, MONTHS), statuses(cohorts, MONTHS, 1234567.0)
    paths.loc[4, "mean"] = map_.loc[4, "n"] = NAN
    many = pd.concat([comparisons()] * 40, ignore_index=True)
    many.loc[3, "estimate"] = NAN
    open_ = pd.concat([robust(method=LONG), robust(method="other").iloc[1:]], ignore_index=True)
    open_.loc[3, ["conf_low", "conf_high"]] = [-np.inf, np.inf]
    open_.loc[5, "conf_low"] = NAN
    given = {"event_study": made(rows), "cohort_paths": paths, "cells": made(cells)}
    given |= {"bacon": many, "sensitivity": open_, "status_map": map_}
    return verb(given[kind], title=LONG, synthetic=True, catalogue=ID)


KINDS = ("event_study", "cohort_paths", "cells", "bacon", "sensitivity", "status_map")


def texts(figure: Figure) -> list[str]:
    """Return every text on a figure."""
    figure.canvas.draw()
    return [t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_text()]


def key(figure: Figure) -> list[str]:
    """Return the words of the key."""
    return [t.get_text() for legend in figure.legends for t in legend.get_texts()]


def points(axis: mpl.axes.Axes, marker: str) -> list[tuple[float, float]]:
    """Return where a marker stands."""
    lines = [line for line in axis.get_lines() if line.get_marker() == marker]
    return [(float(x), float(y)) for line in lines for x, y in line.get_xydata()]


# All six


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_input_gives_the_same_bytes_under_any_settings(kind: str, tmp_path: Path) -> None:
    first = pe.figures.save(draw(kind), tmp_path / "a", kind)
    with mpl.rc_context({"font.size": 31, "axes.grid": True, "svg.hashsalt": "other"}):
        second = pe.figures.save(draw(kind), tmp_path / "b", kind)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_synthetic_data_are_said_on_the_figure(kind: str) -> None:
    assert "synthetic data" in texts(draw(kind, synthetic=True))
    assert "synthetic data" not in texts(draw(kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("full", [False, True])
def test_nothing_reaches_out_of_the_figure(kind: str, full: bool) -> None:
    figure = crowded(kind) if full else draw(kind, synthetic=True)
    figure.canvas.draw()
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()
    rounding = 1e-9  # inches
    assert width == pytest.approx(4.6)
    assert box.x0 >= -rounding
    assert box.y0 >= -rounding
    assert box.x1 <= width + rounding
    assert box.y1 <= height + rounding


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_the_ticks_do_not_overlap(kind: str) -> None:
    figure = crowded(kind)
    figure.canvas.draw()
    for axis in figure.axes:
        for side, (low, high) in ((axis.xaxis, ("x0", "x1")), (axis.yaxis, ("y0", "y1"))):
            labels = [t for t in side.get_ticklabels() if t.get_text() and t.get_visible()]
            boxes = sorted((t.get_window_extent() for t in labels), key=lambda b: getattr(b, low))
            for one, other in pairwise(boxes):
                assert getattr(one, high) <= getattr(other, low)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("label", ["<script>alert(1)</script>", "$\\input{x}$", "& ]]>"])
def test_a_hostile_title_is_only_drawn(kind: str, label: str) -> None:
    tree = ElementTree.fromstring(pe.figures.as_svg(draw(kind, title=label)))
    assert not [e for e in tree.iter() if e.tag.lower().endswith(("script", "}text"))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_without_its_columns_is_refused(kind: str) -> None:
    with pytest.raises(UsageError, match=f"figures.{kind} needs the columns"):
        getattr(pe.figures, kind)(pd.DataFrame({"outcome": ["income"]}))
    with pytest.raises(UsageError, match="this is a int"):
        getattr(pe.figures, kind)(3)


@pytest.mark.parametrize("kind", ["event_study", "cells", "cohort_paths", "bacon"])
def test_one_of_several_outcomes_must_be_named(kind: str) -> None:
    tables = {
        "event_study": pd.DataFrame(times(0, 1)),
        "cells": pd.DataFrame(grid([2021], [2020, 2021])),
        "cohort_paths": means([2021, None], [2020, 2021]),
        "bacon": comparisons().assign(outcome="income"),
    }
    verb = getattr(pe.figures, kind)
    both = pd.concat([tables[kind], tables[kind].assign(outcome="works")], ignore_index=True)
    with pytest.raises(UsageError, match="income, works"):
        verb(both)
    with pytest.raises(UsageError, match="no row is about 'wages'"):
        verb(both, outcome="wages")
    assert any("works" in text for text in texts(verb(both, outcome="works")))


# Event study


def test_the_event_study_draws_estimates_intervals_and_wider_bands() -> None:
    axis = draw("event_study").axes[0]
    assert points(axis, "o")[:3] == [(-2.0, 0.0), (0.0, 2e5), (1.0, 3e5)]
    band, interval = (c.get_segments() for c in axis.collections)
    assert interval[1].tolist() == [[0.0, 1e5], [0.0, 4e5]]
    assert band[1].tolist() == [[0.0, -1e5], [0.0, 6e5]]
    assert axis.collections[0].get_linewidth()[0] > axis.collections[1].get_linewidth()[0]


def test_the_base_period_is_a_hollow_mark_without_interval_and_is_named() -> None:
    figure = draw("event_study")
    (hollow,) = [x for x in figure.axes[0].get_lines() if x.get_markerfacecolor() == "white"]
    assert hollow.get_xydata().tolist() == [[-1.0, 0.0]]
    assert len(figure.axes[0].collections[0].get_segments()) == 3
    assert "base: period \N{MINUS SIGN}1" in figure.axes[0].get_xlabel()
    assert "base period, zero by definition" in key(figure)


def test_the_event_study_divides_before_from_after() -> None:
    found = texts(draw("event_study"))
    assert {"before", "after"} <= set(found)
    axis = draw("event_study").axes[0]
    assert any(list(line.get_xdata()) == [-0.5, -0.5] for line in axis.get_lines())
    only_after = pe.figures.event_study(made(times(0, 1)))
    assert "before" not in texts(only_after)


def test_the_key_says_the_level_of_the_findings() -> None:
    figure = pe.figures.event_study(made(times(0, 1), 0.9))
    assert {"90 percent interval", "simultaneous 90 percent band"} == set(key(figure))
    figure = pe.figures.event_study(pd.DataFrame(times(0, 1)), level=0.8, catalogue=ID)
    assert {"selang 80 persen", "pita serentak 80 persen"} == set(key(figure))


def test_a_varying_base_is_explained_under_the_axis() -> None:
    figure = pe.figures.event_study(made(times(-2, -1, 0, base=None, specification=VARYING)))
    assert "base varying" in figure.axes[0].get_xlabel()


def test_varying_and_universal_bases_are_never_in_one_plot() -> None:
    rows = times(-1, 0, specification=UNIVERSAL) + times(-1, 0, specification=VARYING)
    with pytest.raises(UsageError, match="either a varying or a universal base, not both"):
        pe.figures.event_study(made(rows))
    labelled = [r | {"label": str(r["specification"])} for r in rows]
    with pytest.raises(UsageError, match="not both"):
        pe.figures.event_study(made(labelled))


def test_comparison_groups_are_told_apart_by_the_words_that_differ() -> None:
    other = UNIVERSAL.replace("never", "not yet")
    rows = times(-1, 0, specification=UNIVERSAL) + times(-1, 0, specification=other)
    figure = pe.figures.event_study(made(rows))
    assert key(figure)[:2] == ["never treated", "not yet treated"]
    xs = [x for marker in "os" for x, y in points(figure.axes[0], marker) if y]
    assert len(set(xs)) == 2
    assert max(map(abs, xs)) < 0.5


def test_estimators_are_named_alone_where_that_is_enough() -> None:
    rows = times(0, 1, estimator="a", specification="x") + times(0, 1, estimator="b")
    assert key(pe.figures.event_study(made(rows)))[:2] == ["a", "b"]
    rows += times(0, 1, estimator="b", subgroup="women")
    assert key(pe.figures.event_study(made(rows)))[:3] == ["a", "b", "b, women"]
    rows += times(0, 1, estimator="a", specification="x, y")
    assert key(pe.figures.event_study(made(rows)))[3] == "a, y"


def test_ends_that_hold_all_beyond_are_said_to() -> None:
    # the words of did.event_study(ends="binned")
    rows = times(-2, -1, 0, 1, specification=UNIVERSAL)
    rows[0]["specification"] = f"{UNIVERSAL}; -2 and all before binned"
    rows[3]["specification"] = f"{UNIVERSAL}; 1 and all after binned"
    figure = pe.figures.event_study(made(rows))
    labels = [t.get_text() for t in figure.axes[0].get_xticklabels()]
    assert labels == ["≤ \N{MINUS SIGN}2", "\N{MINUS SIGN}1", "0", "≥ 1"]
    assert "≤, ≥: with all periods beyond" in figure.axes[0].get_xlabel()
    assert key(figure)[0] == "95 percent interval"


def test_labels_name_the_series_and_bases_that_differ_stand_beside_them() -> None:
    rows = times(-2, -1, 0, label="One") + times(-2, -1, 0, base=-2, label="Two")
    found = key(pe.figures.event_study(made(rows)))
    assert found[:2] == [
        f"{n} (base: period \N{MINUS SIGN}{t})" for n, t in (("One", 1), ("Two", 2))
    ]


def test_a_row_without_an_estimate_is_crossed_at_the_foot() -> None:
    rows = times(-2, -1, 0, 1)
    rows[0] |= {"estimate": NAN, "conf_low": NAN, "conf_high": NAN, "band_low": NAN}
    figure = pe.figures.event_study(made(rows))
    assert [x for x, _ in points(figure.axes[0], "x")] == [-2.0]
    assert "no estimate" in key(figure)


def test_shares_are_drawn_in_percentage_points() -> None:
    rows = [r | {"unit": "share"} for r in times(0, 1, scale=0.01)]
    figure = pe.figures.event_study(made(rows), title="In work")
    assert "Effect on In work (percentage points)" in texts(figure)
    assert points(figure.axes[0], "o")[0] == pytest.approx((0.0, 2.0))


def test_cells_of_several_cohorts_are_no_event_study() -> None:
    with pytest.raises(UsageError, match=r"did\.event_study\(cells\)"):
        pe.figures.event_study(made(grid([2021, 2022], [2020, 2021, 2022])))
    with pytest.raises(UsageError, match="no row with an event time"):
        pe.figures.event_study(made([row(estimate=1.0)]))


def test_a_row_without_an_event_time_is_left_out() -> None:
    rows = [*times(0, 1), row(estimate=9e9, event_time=None)]
    assert len(points(pe.figures.event_study(made(rows)).axes[0], "o")) == 2


def test_the_start_keeps_its_label_where_labels_are_thinned() -> None:
    axis = crowded("event_study").axes[0]
    labels = [t.get_text() for t in axis.get_xticklabels()]
    assert "0" in labels
    assert len(labels) < 23


# Cohort paths


def test_the_start_of_treatment_is_ringed_on_each_line() -> None:
    figure = draw("cohort_paths")
    rings = [x for x in figure.axes[0].get_lines() if x.get_markerfacecolor() == "none"]
    # 2021 is the second wave of the first cohort, 2022 the third of the second: see means()
    assert [list(x.get_ydata()) for x in rings] == [[2.1e6], [2.25e6]]
    assert key(figure) == ["Cohort 2021", "Cohort 2022", "never treated", "treatment starts"]


def test_a_cohort_is_dashed_until_its_start() -> None:
    lines = draw("cohort_paths").axes[0].get_lines()
    dashed = [x for x in lines if x.get_linestyle() == "--"]
    assert [len(x.get_xdata()) for x in dashed] == [2, 3]


def test_cohort_paths_have_intervals_of_their_level() -> None:
    figure = draw("cohort_paths", level=0.9)
    bar = figure.axes[0].collections[0].get_segments()[0]
    half = stats.norm.ppf(0.95) * 3e4  # normal quantile times the standard error
    assert bar[1, 1] - bar[0, 1] == pytest.approx(2 * half)


def test_many_cohorts_have_a_panel_each_in_millions() -> None:
    figure = pe.figures.cohort_paths(means([*MONTHS[3:13], None], MONTHS[:14]), unit="rupiah")
    named = [a for a in figure.axes if a.get_title(loc="left")]
    assert [a.get_title(loc="left") for a in named] == MONTHS[3:13]
    assert "income (million rupiah)" in texts(figure)
    assert {"2020-01", "2021-02"} <= set(texts(figure))


def test_never_treated_people_are_known_by_any_of_their_names() -> None:
    for name in (None, NAN, np.inf, "never treated", "never"):
        frame = means([2021, None], [2020, 2021])
        frame["cohort"] = frame["cohort"].astype(object).where(frame["cohort"].notna(), name)
        assert key(pe.figures.cohort_paths(frame))[1] == "never treated"


def test_waves_in_words_keep_their_order_though_a_cohort_lacks_one() -> None:
    assert parts.merged([["mid", "end"], ["base", "mid", "end"]]) == ["base", "mid", "end"]
    assert parts.merged([["base", "end"], ["base", "mid", "end"]]) == ["base", "mid", "end"]
    assert parts.merged([["base"], ["mid"]]) == ["base", "mid"]
    assert parts.merged([[2022, 2020], [2021]]) == [2020, 2021, 2022]


def test_cohorts_stand_in_the_order_of_their_starts_and_the_never_treated_last() -> None:
    def order(*cohorts: object) -> list[object]:
        return parts.cohorts_of(pd.DataFrame({"cohort": pd.Series(cohorts, dtype=object)}), MONTHS)

    assert order(None, 2022, 2021.5) == [2021.5, 2022, None]
    assert order("2021-02", "2020-03") == ["2020-03", "2021-02"]
    assert order("2021-02", "after the last wave", NAN) == ["2021-02", "after the last wave", None]


def test_a_cohort_between_two_waves_starts_with_the_later() -> None:
    assert parts.starts_at(2021, [2020, 2022]) == 1
    assert parts.starts_at(2023, [2020, 2022]) is None
    assert parts.starts_at("2021-02", MONTHS) == 13
    assert parts.starts_at(None, MONTHS) is None


def test_long_labels_are_cut_where_they_stay_apart() -> None:
    assert parts.labels_of(["a long name", "b"], 8) == ["a long…", "b"]
    assert parts.labels_of(["batch number 1", "batch number 2"], 8) == ["bat…er 1", "bat…er 2"]


# Cells


def test_the_grid_prints_each_number_in_thousands() -> None:
    figure = draw("cells")
    found = texts(figure)
    assert "Effect on income (thousand rupiah)" in found
    assert found.count("100") == 3  # two cells of 2021 and one of 2022 are after the start
    assert found.count("\N{MINUS SIGN}20") == 3
    assert {"2021", "2022", "Cohort", "Period"} <= set(found)


def test_colours_are_centred_on_zero() -> None:
    (mesh,) = draw("cells").axes[0].collections
    low, high = mesh.get_clim()
    assert low == -high
    assert high == pytest.approx(100.0)


def test_cells_before_treatment_are_hatched() -> None:
    figure = draw("cells")
    hatched = [p for p in figure.axes[0].patches if isinstance(p, Rectangle) and p.get_hatch()]
    corners = {(p.get_x() + 0.5, p.get_y() + 0.5) for p in hatched}
    assert corners == {(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)}  # waves 2020, 2021; cohorts 2021, 2022
    assert "before treatment" in key(figure)


def test_a_cell_without_an_estimate_is_crossed_and_a_base_is_ringed() -> None:
    rows = grid([2021, 2022], [2019, 2020, 2021, 2022])
    rows[1] |= {"estimate": NAN, "status": "one unit"}
    rows[0] |= {"estimate": 0.0, "status": "reference"}
    figure = pe.figures.cells(made(rows))
    assert points(figure.axes[0], "x") == [(1.0, 0.0)]
    assert points(figure.axes[0], "o") == [(0.0, 0.0)]
    assert {"no estimate", "base period, zero by definition"} <= set(key(figure))
    assert texts(figure).count("100") == 2


def test_numbers_lose_decimals_before_they_are_left_out() -> None:
    rows = [r | {"unit": "share", "estimate": 0.123} for r in grid(MONTHS[1:3], MONTHS[:14])]
    assert texts(pe.figures.cells(made(rows))).count("12") == 26
    rows = [r | {"unit": "share", "estimate": 0.123} for r in grid(MONTHS[1:3], MONTHS[:3])]
    assert texts(pe.figures.cells(made(rows))).count("12.3") == 4


def test_where_no_number_can_be_read_a_bar_explains_the_colours() -> None:
    assert len(draw("cells").axes) == 1
    assert len(pe.figures.cells(made(grid(MONTHS[3:23], MONTHS))).axes) == 2


def test_two_rows_about_one_cell_are_refused_with_what_differs() -> None:
    rows = grid([2021], [2020, 2021], specification="x")
    rows += grid([2021], [2020, 2021], specification="y")
    with pytest.raises(UsageError, match="cohort 2021 in wave 2021; keep one specification"):
        pe.figures.cells(made(rows))
    with pytest.raises(UsageError, match="no row with a cohort and a wave"):
        pe.figures.cells(made(times(0, 1)))


# Bacon


def test_the_scatter_has_weights_and_the_weighted_average() -> None:
    figure = draw("bacon")
    assert points(figure.axes[0], "o") == [(50.0, 100.0), (20.0, 200.0)]
    assert points(figure.axes[0], "X") == [(10.0, -400.0)]
    levels = [
        line.get_ydata()[0] for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 2
    ]
    # 0.5 * 100 + 0.2 * 200 + 0.2 * 300 - 0.1 * 400
    assert levels[-1] == pytest.approx(110.0)
    assert "weighted average 110" in key(figure)


def test_the_key_gives_weight_and_mean_of_each_kind() -> None:
    found = key(draw("bacon", catalogue=ID, unit="rupiah"))
    # (0.5 * 100 + 0.2 * 200) / 0.7 = 128.6
    assert found[0] == "peserta terhadap yang tidak pernah menerima\nbobot 70 persen, rata-rata 129"
    assert found[-1] == "rata-rata tertimbang 110 rupiah"


def test_without_one_estimate_there_is_no_average() -> None:
    frame = comparisons()
    frame.loc[1, "estimate"] = NAN
    found = key(pe.figures.bacon(frame))
    assert "comparisons without an estimate: 1" in found
    assert not [text for text in found if text.startswith("weighted average")]


def test_a_decomposition_names_its_outcome_itself() -> None:
    held = SimpleNamespace(frame=comparisons(), outcome="income")
    assert "Effect on income (rupiah)" in texts(pe.figures.bacon(held, unit="rupiah"))
    assert "rupiah" in texts(pe.figures.bacon(comparisons(), unit="rupiah"))


def test_every_kind_of_comparison_has_its_mark() -> None:
    frame = comparisons().replace("earlier against later", "treated against always treated")
    figure = pe.figures.bacon(frame)
    assert len(points(figure.axes[0], "s")) == 1
    assert "treated against always treated\nweight 20 percent, mean 300" in key(figure)


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'always treated'; there are 'treated against never"):
        pe.figures.bacon(comparisons().assign(kind="always treated"))


def test_ticks_are_never_rounded_to_another_number() -> None:
    frame = comparisons().assign(estimate=[-5.0, 0.0, 3.0, 8.0])
    axis = pe.figures.bacon(frame).axes[0]
    axis.figure.canvas.draw()
    shown = [t.get_text().replace("\N{MINUS SIGN}", "-") for t in axis.get_yticklabels()]
    assert [float(t) for t in shown] == pytest.approx(list(axis.get_yticks()))


# Sensitivity


def test_intervals_stand_at_their_size_beside_the_original_one() -> None:
    figure = draw("sensitivity")
    bars = [c.get_segments()[0].tolist() for c in figure.axes[0].collections]
    assert bars[0][0][0] < 0.5
    assert bars[0][0][1] == 20.0
    assert bars[1:] == [[[m, 20 - 30 * m], [m, 80 + 30 * m]] for m in (0.5, 1.0, 1.5)]
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == [
        "original",
        "0.5",
        "1.0",
        "1.5",
    ]
    assert key(figure) == [
        "95 percent interval, conditional-hybrid",
        "95 percent interval if trends are parallel",
    ]


def test_an_open_end_has_an_arrow_and_a_known_one_a_bar() -> None:
    frame = robust()
    frame.loc[3, "conf_high"] = np.inf
    figure = pe.figures.sensitivity(frame)
    at = [
        x
        for line in figure.axes[0].get_lines()
        for x in line.get_xdata()
        if line.get_marker() == "_"
    ]
    assert at.count(1.5) == 1
    assert at.count(1.0) == 2
    assert "open: the end lies beyond the grid" in key(figure)
    assert "open: the end lies beyond the grid" not in key(draw("sensitivity"))


def test_the_breakdown_value_is_marked_or_said_to_lie_beyond() -> None:
    figure = draw("sensitivity", breakdown=2 / 3)
    assert "breakdown value 0.67" in texts(figure)
    assert any(list(x.get_xdata()) == [2 / 3, 2 / 3] for x in figure.axes[0].get_lines())
    assert "zero lies outside up to M = 1.5" in texts(draw("sensitivity", breakdown=np.inf))
    assert not [t for t in texts(draw("sensitivity")) if "breakdown" in t or "outside" in t]


def test_a_missing_interval_is_crossed() -> None:
    frame = robust()
    frame.loc[2, ["conf_low", "conf_high"]] = NAN
    figure = pe.figures.sensitivity(frame, catalogue=ID)
    assert [x for x, _ in points(figure.axes[0], "x")] == [1.0]
    assert "tanpa selang" in key(figure)


def test_two_restrictions_do_not_share_an_axis() -> None:
    both = pd.concat([robust(), robust("smoothness").iloc[1:]])
    with pytest.raises(UsageError, match="'relative magnitudes' or 'smoothness'"):
        pe.figures.sensitivity(both)


@pytest.mark.parametrize(
    ("kind", "words"), [("relative magnitudes", "multiples"), ("smoothness", "slope")]
)
def test_the_axis_says_what_the_size_means(kind: str, words: str) -> None:
    assert words in pe.figures.sensitivity(robust(kind)).axes[0].get_xlabel()


# Status map


def test_tiles_have_their_status_and_number() -> None:
    figure = draw("status_map")
    tiles = [p for p in figure.axes[0].patches if isinstance(p, Rectangle)]
    assert len(tiles) == 9
    assert texts(figure).count("1,234") == 9
    assert key(figure) == ["treated", "not yet treated", "never treated"]
    assert sum(bool(p.get_hatch()) for p in tiles) == 3


def test_the_statuses_are_told_apart_in_grey() -> None:
    tiles = draw("status_map").axes[0].patches
    greys = sorted(
        {round(np.dot(to_rgb(p.get_facecolor()), (0.299, 0.587, 0.114)), 3) for p in tiles}
    )
    assert len(greys) == 3
    assert min(np.diff(greys)) > 0.15  # of the way from black to white


def test_a_hidden_number_is_a_dash_with_its_explanation() -> None:
    frame = statuses([2021, None], [2020, 2021])
    frame.loc[0, "n"] = NAN
    figure = pe.figures.status_map(frame)
    assert texts(figure).count("–") == 1
    assert "– number not shown (few people)" in key(figure)


def test_narrow_tiles_have_the_largest_number_at_the_right() -> None:
    frame = statuses([*MONTHS[3:6], None], MONTHS)
    frame.loc[2, "n"] = 2345.0
    found = texts(pe.figures.status_map(frame, catalogue=ID))
    assert found.count("2.345") == 1
    assert found.count("1.234") == 3
    assert "orang" in found


def test_where_nobody_was_observed_there_is_no_tile() -> None:
    frame = statuses([2021, None], [2020, 2021])
    frame.loc[0, "n"] = 0.0
    assert len(pe.figures.status_map(frame).axes[0].patches) == 3


def test_an_unknown_status_and_a_tile_told_twice_are_refused() -> None:
    frame = statuses([2021, None], [2020, 2021])
    with pytest.raises(UsageError, match="'left'; there are 'never treated'"):
        pe.figures.status_map(frame.assign(status="left"))
    with pytest.raises(UsageError, match="cohort 2021"):
        pe.figures.status_map(pd.concat([frame, frame]))


# Small inputs


def test_one_cohort_and_one_event_time_are_enough() -> None:
    one = [
        pe.figures.event_study(made(times(0))),
        pe.figures.cohort_paths(means([2021], [2021])),
        pe.figures.cells(made(grid([2021], [2020, 2021]))),
        pe.figures.bacon(comparisons().iloc[:1]),
        pe.figures.sensitivity(robust().iloc[:1]),
        pe.figures.sensitivity(robust().iloc[1:2]),
        pe.figures.status_map(statuses([2021], [2021])),
    ]
    for figure in one:
        assert texts(figure)


def test_estimates_that_are_all_missing_leave_a_frame_with_crosses() -> None:
    rows = [r | {"estimate": NAN, "conf_low": NAN, "band_low": NAN} for r in times(0, 1)]
    assert len(points(pe.figures.event_study(made(rows)).axes[0], "x")) == 2
    cells = [r | {"estimate": NAN} for r in grid([2021], [2020, 2021])]
    assert len(points(pe.figures.cells(made(cells)).axes[0], "x")) == 1
