"""Do the figures of sensitivity show what they are given, and refuse the rest?"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import style
from prakerja_eval.language import Catalogue

ID = Catalogue.named("id")


def bounds() -> pd.DataFrame:
    gamma = np.array([1.0, 1.5, 2.0])
    return pd.DataFrame(
        {
            "outcome": "income",
            "wave": 3,
            "gamma": gamma,
            "p_low": [0.02, 0.001, 0.0],
            "p_high": [0.02, 0.2, 0.6],
            "estimate_low": [100.0, -20, -150],
            "estimate_high": [100.0, 240, 390],
        }
    )


def contours(kind: str = "estimate") -> pd.DataFrame:
    side = np.linspace(0, 0.4, 9)
    d, y = (v.ravel() for v in np.meshgrid(side, side))
    value = 1000 - 8000 * np.sqrt(d * y)
    if kind == "t":
        value = value / 400
    columns = {"r2_treatment": d, "r2_outcome": y, "value": value}
    return pd.DataFrame(
        {"outcome": "income", "wave": None, "kind": kind, **columns, "critical": 0.0}
    )


def curve(n: int = 60) -> pd.DataFrame:
    i = np.arange(n)
    estimate = np.where(i % 12 == 5, np.nan, 100 * np.cos(3.0 * i) + 40)
    return pd.DataFrame(
        {
            "specification": i.astype(str),
            "covariates": np.where(i % 2, "age", "age, education, province, earnings before"),
            "model": "logit",
            "design": np.array(["1:1, caliper 0.1 sd", "4:1", "entropy balancing"])[i % 3],
            "effect": "difference",
            "estimate": estimate,
            "conf_low": estimate - 60,
            "conf_high": estimate + 60,
            "status": np.where(np.isnan(estimate), "no counterpart", "ok"),
        }
    )


def words_of(figure: Figure) -> str:
    """Return everything that is written on a figure."""
    figure.canvas.draw()
    parts = [t.get_text() for t in figure.texts]
    for axis in figure.axes:
        parts += [t.get_text() for t in axis.texts]
        parts += [axis.get_title("left"), axis.get_xlabel(), axis.get_ylabel()]
    for legend in figure.legends:
        parts += [t.get_text() for t in legend.get_texts()]
    return " ".join(" ".join(parts).split())


def texts_apart(figure: Figure) -> bool:
    """Say whether no two written lines of an axis overlap, and none leaves the figure."""
    figure.canvas.draw()
    for axis in figure.axes:
        boxes = [t.get_window_extent() for t in axis.texts if t.get_text()]
        for i, one in enumerate(boxes):
            if one.x1 > figure.bbox.x1 + 1 or one.x0 < -1:
                return False
            if any(one.overlaps(other) for other in boxes[i + 1 :]):
                return False
    return True


def test_rosenbaum_draws_both_bounds_in_the_outcomes_unit() -> None:
    figure = pe.figures.rosenbaum(bounds(), unit="share", title="Employment")
    p, effect = figure.axes
    lines = [line.get_ydata() for line in p.lines[:2]]
    np.testing.assert_allclose(lines, bounds()[["p_low", "p_high"]].to_numpy().T)
    drawn = [line.get_ydata() for line in effect.lines[:2]]  # shares stand in percent
    np.testing.assert_allclose(drawn, 100 * bounds()[["estimate_low", "estimate_high"]].T)
    said = words_of(figure)
    assert "Effect on Employment (percentage points)" in said
    assert "significance 0.05" in said
    assert "synthetic" not in said
    assert "data sintetis" in words_of(pe.figures.rosenbaum(bounds(), catalogue=ID, synthetic=True))


def test_rosenbaum_refuses_two_outcomes_and_other_tables() -> None:
    two = pd.concat([bounds(), bounds().assign(outcome="work")])
    with pytest.raises(UsageError, match="one outcome and wave; there are 2"):
        pe.figures.rosenbaum(two)
    with pytest.raises(UsageError, match="needs the columns p_low"):
        pe.figures.rosenbaum(bounds().drop(columns="p_low"))


def test_a_single_gamma_is_drawn_too() -> None:
    figure = pe.figures.rosenbaum(SimpleNamespace(frame=bounds().iloc[:1]))
    assert "p-value" in words_of(figure)


@pytest.mark.parametrize("kind", ["estimate", "t"])
def test_contours_mark_the_answer_the_end_and_the_benchmarks(kind: str) -> None:
    points = pd.DataFrame(
        {
            "outcome": "income",
            "wave": None,
            "benchmark": ["age", "age", "age", "region"],
            "k": [1.0, 2.0, 3.0, 1.0],
            "r2_treatment": [0.05, 0.1, 0.9, 0.2],
            "r2_outcome": [0.1, 0.2, 0.3, 0.1],
        }
    )
    figure = pe.figures.contour(contours(kind), points, unit="dollars", title="Earnings")
    said = words_of(figure)
    assert "as strong as age, times 1, 2" in said  # the third lies beyond the grid
    assert "as strong as region, times 1" in said
    now = "1,000" if kind == "estimate" else "2.50"
    assert f"as estimated: {now}" in said
    marks = [line.get_xydata() for line in figure.axes[0].lines if line.get_marker() == "D"]
    np.testing.assert_allclose(marks[0], [[5, 10], [10, 20]])  # percent
    assert ("t-ratio" in said) == (kind == "t")


def test_contours_of_a_grid_alone_and_in_indonesian() -> None:
    figure = pe.figures.contour(contours(), catalogue=ID, unit="rupiah")
    assert "dampak habis" in words_of(figure)


def test_contours_refuse_what_is_no_grid() -> None:
    both = pd.concat([contours(), contours("t")])
    for wrong in (both, contours().iloc[:-1], contours().iloc[:1]):
        with pytest.raises(UsageError, match="one full grid"):
            pe.figures.contour(wrong)


def test_the_curve_rises_and_shows_who_made_which_choice() -> None:
    frame = curve()
    figure = pe.figures.specification_curve(frame, unit="dollars", title="Earnings")
    upper, lower = figure.axes
    points = np.concatenate([line.get_xydata() for line in upper.lines if line.get_marker() == "o"])
    order = points[np.argsort(points[:, 0]), 1]
    want = np.sort(frame["estimate"].dropna())
    np.testing.assert_allclose(order, want)
    said = words_of(figure)
    for words in ("Covariates", "entropy balancing", "median", "refused: no estimate"):
        assert words in said
    assert "Score" not in said  # alike in all rows
    # each specification has one mark a choice: two choices differ
    marks = np.concatenate([c.get_offsets() for c in lower.collections])
    assert sorted(marks[:, 0].astype(int).tolist()) == sorted([*range(60), *range(60)])


def test_a_mark_stands_under_its_specification_in_the_colour_of_its_interval() -> None:
    frame = curve().assign(
        covariates=lambda f: np.where(f["conf_low"] > 0, "only above", "the others")
    )
    lower = pe.figures.specification_curve(frame).axes[1]
    known = np.flatnonzero(np.sort(frame["estimate"]) > 60)
    sets = [c.get_offsets()[:, 0].astype(int).tolist() for c in lower.collections]
    assert known.tolist() in sets
    blue = lower.collections[sets.index(known.tolist())].get_edgecolors()
    np.testing.assert_allclose(blue[:, :3], [to_rgb(style.BLUE)] * len(known))


@pytest.mark.parametrize("n", [2, 60])
def test_words_of_the_curve_do_not_overlap(n: int) -> None:
    figure = pe.figures.specification_curve(curve(n), unit="dollars", synthetic=True)
    assert texts_apart(figure)
    assert "synthetic data" in words_of(figure)


def test_the_curve_needs_its_columns() -> None:
    with pytest.raises(UsageError, match="needs the columns status"):
        pe.figures.specification_curve(curve().drop(columns="status"))
