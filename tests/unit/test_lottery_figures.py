"""Do the lottery's figures show what they are given, and refuse what misleads?"""

from itertools import pairwise
from types import SimpleNamespace
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.findings import FINDINGS_COLUMNS
from prakerja_eval.language import Catalogue

ID = Catalogue.named("id")
NAN, INF = np.nan, np.inf
LONG = "A very long name of a thing that people were asked about, in many words"
KINDS = (
    *("flow", "lottery_balance", "effects", "quantile_effects", "bounds", "power_curve"),
    "randomisation",
)


def people(arms: tuple[str, ...] = ("winners", "losers")) -> pd.DataFrame:
    stages = (("assigned", None), ("received", 2021), ("observed", 2021), ("observed", 2022))
    rows = [
        (arm, stage, wave, n)
        for k, arm in enumerate(arms)
        for (stage, wave), n in zip(
            stages, ((900, 675, 810, 720), (5100, NAN, 4080, 3825))[k % 2], strict=True
        )
    ]
    return pd.DataFrame(rows, columns=["arm", "stage", "wave", "n"])


def alike(*names: str) -> pd.DataFrame:
    k = len(names)
    columns = {"covariate": names, "difference": np.linspace(-2, 4, k), "std_error": [1.0] * k}
    sizes = np.linspace(-2, 4, k) / 20
    return pd.DataFrame(columns | {"normalised_difference": sizes, "p_value": [0.04] * k})


def found(**columns: list) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    base = {c: None for c in FINDINGS_COLUMNS if c not in frame}
    base |= {"estimator": "lottery.itt", "status": "ok"}
    return frame.assign(**{k: v for k, v in base.items() if k not in frame})


def outcomes(*names: str) -> pd.DataFrame:
    k = len(names)
    return found(
        outcome=list(names), estimate=[50.0] * k, conf_low=[-10.0] * k, conf_high=[110.0] * k,
        comparison_mean=[1000.0] * k, unit=["rupiah"] * k,
    )  # fmt: skip


def by_quantile(**labels: object) -> pd.DataFrame:
    taus = [0.1, 0.5, 0.9]
    return found(
        outcome=["income"] * 3, specification=[f"quantile {t:g}; unadjusted" for t in taus],
        estimate=[10.0, 20.0, 40.0], conf_low=[0.0, 5.0, 10.0], conf_high=[20.0, 35.0, 70.0],
        unit=["rupiah"] * 3,
    ).assign(**labels)  # fmt: skip


def edges(*rows: tuple) -> pd.DataFrame:
    given = rows or (("Unadjusted", 2.0, 2.0, 0.0, 4.0), ("Lee", -1.0, 3.0, -2.0, 4.5))
    return pd.DataFrame(given, columns=["label", "lower", "upper", "conf_low", "conf_high"])


def curve(scale: float = 1.0, **labels: object) -> pd.DataFrame:
    plan = pe.lottery.PowerDesign(6_000 * scale, odds=0.15)
    return pe.lottery.power_curve(plan).assign(**labels)


def drawn() -> np.ndarray:
    return np.random.default_rng(1).normal(size=2_999)


def draw(kind: str, **options: object) -> Figure:
    given = {
        "flow": (people(),),
        "lottery_balance": (alike("age", "income", "female"),),
        "effects": (outcomes("income", "hours"),),
        "quantile_effects": (by_quantile(),),
        "bounds": (edges(),),
        "power_curve": (curve(),),
        "randomisation": (drawn(), 2.2),
    }
    return getattr(pe.figures, kind)(*given[kind], **options)


def crowded(kind: str) -> Figure:
    """Return a figure with long words, what is missing, and the mark of synthetic data."""
    frame = outcomes(LONG, "b", "c")
    frame.loc[1, "comparison_mean"] = NAN
    series = [by_quantile(subgroup=f"{LONG} {k}") for k in range(4)]
    series[1].loc[1, ["conf_low", "conf_high"]] = NAN
    series[2].loc[1, ["estimate", "conf_low", "conf_high"]] = NAN
    rows = (
        (LONG, 2.0, 2.0, 0.0, 4.0),
        ("none", NAN, NAN, NAN, NAN),
        ("open", -INF, INF, -INF, INF),
        ("one", -3e7, 4e7, -INF, 6e7),
    )
    given = {
        "flow": (people((LONG, f"Other {LONG}", "third")),),
        "lottery_balance": (alike(LONG, *"abcdefghijklmn"),),
        "effects": (frame,),
        "quantile_effects": (pd.concat(series),),
        "bounds": (edges(*rows),),
        "power_curve": (pd.concat([curve(s, label=f"{LONG} {s}") for s in (1, 0.5, 3, 9)]),),
        "randomisation": (drawn() * 1e7, 3e7),
    }
    title = {} if kind in ("flow", "lottery_balance", "effects") else {"title": LONG}
    return getattr(pe.figures, kind)(*given[kind], synthetic=True, catalogue=ID, **title)


def texts(figure: Figure) -> list[str]:
    figure.canvas.draw()
    return [t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_text()]


def key(figure: Figure) -> list[str]:
    return [t.get_text() for legend in figure.legends for t in legend.get_texts()]


def points(axis: mpl.axes.Axes, marker: str) -> list[tuple[float, float]]:
    lines = [line for line in axis.get_lines() if line.get_marker() == marker]
    return [(float(x), float(y)) for line in lines for x, y in line.get_xydata()]


def bars(axis: mpl.axes.Axes) -> list[list[float]]:
    """Return the ends of level lines, from the first to the last."""
    every = [s for c in axis.collections for s in c.get_segments() if len(s)]
    return [[float(s[0, 0]), float(s[1, 0])] for s in every if s[0, 1] == s[1, 1]]


# All seven


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_input_gives_the_same_bytes_under_any_settings(kind: str) -> None:
    first = pe.figures.as_svg(draw(kind))
    with mpl.rc_context({"font.size": 31, "axes.grid": True, "svg.hashsalt": "other"}):
        assert pe.figures.as_svg(draw(kind)) == first


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
def test_words_on_an_axis_do_not_overlap(kind: str) -> None:
    figure = crowded(kind)
    figure.canvas.draw()
    for axis in figure.axes:
        for side, (low, high) in ((axis.xaxis, ("x0", "x1")), (axis.yaxis, ("y0", "y1"))):
            labels = [t for t in side.get_ticklabels() if t.get_text() and t.get_visible()]
            boxes = sorted((t.get_window_extent() for t in labels), key=lambda b: getattr(b, low))
            for one, other in pairwise(boxes if axis.axison else []):
                assert getattr(one, high) <= getattr(other, low)
        inside = [t.get_window_extent() for t in axis.texts if t.get_text().strip()]
        for i, one in enumerate(inside):
            for other in inside[i + 1 :]:
                # lines of one text stand so close that their boxes may share a pixel or two
                across = min(one.x1, other.x1) - max(one.x0, other.x0)
                upright = min(one.y1, other.y1) - max(one.y0, other.y0)
                assert min(across, upright) <= 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_column_and_a_table_without_rows_are_refused(kind: str) -> None:
    if kind == "randomisation":
        return
    with pytest.raises(UsageError, match="columns"):
        getattr(pe.figures, kind)(pd.DataFrame({"x": [1]}))


def test_hostile_words_are_only_drawn() -> None:
    label = "<script>alert(1)</script> $\\input{x}$"
    figures = [
        pe.figures.flow(people((label, "losers"))),
        pe.figures.effects(outcomes(label)),
        pe.figures.bounds(edges((label, 1.0, 1.0, 0.0, 2.0))),
        pe.figures.power_curve(curve(label=label)),
    ]
    for figure in figures:
        tree = ElementTree.fromstring(pe.figures.as_svg(figure))
        assert not [e for e in tree.iter() if e.tag.lower().endswith(("script", "}text"))]


# Flow


def test_the_flow_has_every_number_with_its_share_of_the_arm() -> None:
    said = texts(draw("flow"))
    assert {"6,000", "900", "675 (75%)", "810 (90%)", "720 (80%)", "4,080 (80%)"} <= set(said)
    assert {"In the lottery", "Winners", "Losers", "Outcome known, 2022"} <= set(said)


def test_a_number_that_is_not_shown_hides_the_total_too() -> None:
    assert texts(draw("flow")).count("not shown") == 1
    frame = people()
    frame.loc[0, "n"] = NAN
    said = texts(pe.figures.flow(frame))
    assert said.count("not shown") == 3  # the winners, the losers' receipt, and everybody
    assert "6,000" not in said
    assert "810" in said  # no share of a hidden number


def test_a_flow_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(UsageError, match="'dropped'"):
        pe.figures.flow(people().assign(stage="dropped"))
    with pytest.raises(UsageError, match="two rows tell how many of 'winners' were 'assigned'"):
        pe.figures.flow(pd.concat([people(), people()]))
    with pytest.raises(UsageError, match="assigned to 'losers'"):
        pe.figures.flow(people().drop(index=4))
    with pytest.raises(UsageError, match="3 arms at most"):
        pe.figures.flow(people(("a", "b", "c", "d")))


# Balance


def test_intervals_are_those_of_the_difference_in_standard_deviations() -> None:
    axis = draw("lottery_balance").axes[0]
    # differences -2, 1, 4 over a standard deviation of 20; half an interval is 1.96 / 20
    assert [x for x, _ in points(axis, "o")] == pytest.approx([-0.1, 0.05, 0.2])
    assert bars(axis)[1] == pytest.approx([0.05 - 0.098, 0.05 + 0.098], abs=1e-5)
    assert axis.get_xlim()[0] == -axis.get_xlim()[1]
    assert "0.05  (p\u00a0=\u00a00.040)" in texts(draw("lottery_balance"))


def test_a_difference_of_zero_has_no_scale_and_so_no_interval() -> None:
    frame = alike("a", "b").assign(difference=[0.0, 4.0], normalised_difference=[0.0, 0.2])
    axis = pe.figures.lottery_balance(frame).axes[0]
    assert [x for x, _ in points(axis, "o")] == [0.0, 0.2]
    assert sum(np.isfinite(b).all() for b in bars(axis)) == 1


def test_the_balance_of_the_wing_is_drawn() -> None:
    held = SimpleNamespace(frame=alike("age"))
    assert "Age" in texts(pe.figures.lottery_balance(held, labels={"age": "Age"}))


# Effects


def test_effects_are_percent_of_the_comparison_mean() -> None:
    figure = draw("effects")
    assert [x for x, _ in points(figure.axes[0], "o")] == pytest.approx([5.0, 5.0])
    assert bars(figure.axes[0])[0] == pytest.approx([-1.0, 11.0])
    assert texts(figure).count("5.0%") == 2
    assert "50 rupiah; comparison mean 1,000 rupiah" in texts(figure)


def test_a_row_without_a_comparison_mean_is_crossed_in_percent() -> None:
    frame = outcomes("a", "b", "c").assign(comparison_mean=[1000.0, 0.0, NAN])
    figure = pe.figures.effects(frame)
    assert len(points(figure.axes[0], "x")) == 2
    assert any("comparison mean not shown" in t for t in texts(figure))
    with pytest.raises(UsageError, match='scale="unit"'):
        pe.figures.effects(frame.iloc[1:])


def test_rows_in_their_own_units_share_zero_alone() -> None:
    frame = outcomes("income", "employed")
    frame.loc[1, ["estimate", "conf_low", "conf_high", "comparison_mean"]] = [0.05, -0.1, 0.2, 0.5]
    frame.loc[1, "unit"] = "share"
    figure = pe.figures.effects(frame, scale="unit")
    assert [x for x, _ in points(figure.axes[0], "o")] == pytest.approx([50 / 110, 0.05 / 0.2])
    assert "5.0" in texts(figure)
    assert any("to 20.0 percentage points" in t for t in texts(figure))
    with pytest.raises(UsageError, match="'percent', 'unit'"):
        pe.figures.effects(frame, scale="sd")


def test_rows_of_one_outcome_are_told_apart_by_what_varies() -> None:
    frame = pd.concat([outcomes("income").assign(wave=w) for w in (2021.0, 2022.0)])
    assert {"income, 2021", "income, 2022"} <= set(texts(pe.figures.effects(frame)))


# Quantiles


def test_quantile_effects_stand_at_their_quantile() -> None:
    figure = draw("quantile_effects")
    assert points(figure.axes[0], "o") == [(10.0, 10.0), (50.0, 20.0), (90.0, 40.0)]
    assert "Effect on income (rupiah)" in texts(figure)
    assert key(figure) == ["95 percent interval"]


def test_two_waves_stand_beside_each_other_with_their_names() -> None:
    figure = pe.figures.quantile_effects(pd.concat([by_quantile(wave=w) for w in (2021, 2022)]))
    assert key(figure)[:2] == ["2021", "2022"]
    assert [round(x, 1) for x, _ in points(figure.axes[0], "s")] == [10.8, 50.8, 90.8]


def test_an_estimate_without_an_interval_is_hollow() -> None:
    frame = by_quantile()
    frame.loc[0, ["conf_low", "conf_high"]] = NAN
    figure = pe.figures.quantile_effects(frame)
    assert "no interval" in key(figure)
    hollow = [x for x in figure.axes[0].get_lines() if x.get_markerfacecolor() == "white"]
    assert [tuple(x.get_xydata()[0]) for x in hollow if len(x.get_xydata())] == [(10.0, 10.0)]


def test_rows_that_are_no_quantiles_are_refused() -> None:
    with pytest.raises(UsageError, match="no row about a quantile"):
        pe.figures.quantile_effects(by_quantile().assign(specification="unadjusted"))
    with pytest.raises(UsageError, match=r"two rows are about the quantile 0\.1"):
        pe.figures.quantile_effects(pd.concat([by_quantile(), by_quantile()]))
    with pytest.raises(UsageError, match="4 series at most"):
        pe.figures.quantile_effects(pd.concat([by_quantile(wave=w) for w in range(5)]))


# Bounds


def test_bounds_are_thick_their_interval_thin_and_an_estimate_a_point() -> None:
    figure = draw("bounds")
    axis = figure.axes[0]
    assert [x for x, _ in points(axis, "o")] == [2.0]
    widths = {tuple(b): c.get_linewidth()[0] for b, c in zip(bars(axis), axis.collections)}  # noqa: B905
    assert widths[-1.0, 3.0] > 2 * widths[-2.0, 4.5]
    assert widths[0.0, 4.0] == widths[-2.0, 4.5]
    assert {"2.00", "from \N{MINUS SIGN}1.00 to 3.00"} <= set(texts(figure))


def test_an_open_bound_has_an_arrow_and_a_missing_one_a_cross() -> None:
    rows = (("a", -1.0, 2.0, -2.0, INF), ("b", -INF, INF, -INF, INF), ("c", NAN, NAN, NAN, NAN))
    figure = pe.figures.bounds(edges(*rows))
    axis = figure.axes[0]
    assert (len(points(axis, ">")), len(points(axis, "<")), len(points(axis, "x"))) == (2, 1, 1)
    assert {"open: no bound on that side", "not bounded"} <= set(key(figure))
    assert "from −∞ to ∞" in texts(figure)


# Power


def test_the_least_detectable_effect_is_read_off_the_curve() -> None:
    figure = draw("power_curve")
    ((x, y),) = points(figure.axes[0], "o")
    # the reference gives .10129; 61 points of the curve, straight between, leave 1e-5
    assert (x, y) == (pytest.approx(0.10129, abs=2e-5), 80.0)
    assert key(figure) == ["0.101 is found with 80 percent power"]
    assert "Effect of the offer (standard deviations)" in texts(figure)


def test_the_unit_of_the_outcome_is_on_the_axis() -> None:
    frame = pe.lottery.power_curve(pe.lottery.PowerDesign(6_000, sd=0.5), on="treatment")
    figure = pe.figures.power_curve(frame, unit="share", title="in work")
    assert "Effect of treatment on in work" in " ".join(texts(figure))
    ((x, _),) = points(figure.axes[0], "o")
    assert "percentage points" in " ".join(texts(figure)).replace("\n", " ")
    assert x == pytest.approx(3.617, abs=1e-3)  # .07234 of .5, in percentage points


def test_large_amounts_are_in_millions() -> None:
    frame = pe.lottery.power_curve(pe.lottery.PowerDesign(6_000, sd=5e7))
    figure = pe.figures.power_curve(frame, unit="rupiah")
    assert "Effect of the offer (million rupiah)" in texts(figure)
    assert key(figure) == ["3.62 is found with 80 percent power"]  # .07234 of 50 million
    figure = pe.figures.bounds(edges(("Lee", -1e6, 3e6, -2e6, 4e6)), unit="rupiah", title="income")
    assert "from \N{MINUS SIGN}1.0 to 3.0" in texts(figure)
    assert "Effect on income (million rupiah)" in texts(figure)


def test_a_curve_that_stays_below_the_power_says_so() -> None:
    figure = pe.figures.power_curve(curve().iloc[:10])
    assert points(figure.axes[0], "o") == []
    assert key(figure) == ["80 percent power lies outside the curve"]
    with pytest.raises(UsageError, match="4 curves at most"):
        pe.figures.power_curve(pd.concat([curve(label=k) for k in range(5)]))


# Randomisation


def counted(figure: Figure) -> dict[tuple, float]:
    """Return the summed heights of bars by colour."""
    out: dict[tuple, float] = {}
    for bar in figure.axes[0].patches:
        if isinstance(bar, Rectangle):
            colour = tuple(np.round(bar.get_facecolor(), 2))
            out[colour] = out.get(colour, 0.0) + bar.get_height()
    return out


def test_draws_as_far_out_as_the_observed_are_counted_apart() -> None:
    values = drawn()
    far = (np.abs(values) >= 2.2).sum()
    figure = draw("randomisation", p_value=0.03)
    near_share, far_share = counted(figure).values()
    assert (near_share, far_share) == pytest.approx((100 - 100 * far / 2999, 100 * far / 2999))
    assert key(figure) == [
        "observed: 2.20",
        f"at least as far from zero: {far} of 2,999 draws\np\u00a0=\u00a00.030",
    ]


def test_ties_with_the_observed_are_as_far_out() -> None:
    figure = pe.figures.randomisation([-1.0, 0.0, 1.0 - 1e-12, 0.5], 1.0)
    assert "at least as far from zero: 2 of 4 draws" in key(figure)


def test_a_distance_has_no_other_side() -> None:
    axis = pe.figures.randomisation(np.abs(drawn()), 0.4).axes[0]
    assert axis.get_xlim()[0] > -0.2
    assert [x.get_xdata()[0] for x in axis.get_lines()] == [0.4]


def test_an_answer_of_the_wing_brings_its_own_numbers() -> None:
    frame = pd.DataFrame({"outcome": ["a", "b"], "statistic": [1.0, 2.0], "p_value": [0.3, 0.05]})
    answer = SimpleNamespace(frame=frame, draws=np.column_stack([drawn(), drawn()]))
    figure = pe.figures.randomisation(answer, outcome="b")
    assert "observed: 2.00" in key(figure)
    assert "p\u00a0=\u00a00.050" in key(figure)[1]
    with pytest.raises(UsageError, match="one row of 2; name an outcome of a, b"):
        pe.figures.randomisation(answer)
    with pytest.raises(UsageError, match="'c'; there are a, b"):
        pe.figures.randomisation(answer, outcome="c")
    with pytest.raises(UsageError, match="observed statistic"):
        pe.figures.randomisation(drawn())
    with pytest.raises(UsageError, match="no draw"):
        pe.figures.randomisation([NAN], 1.0)
