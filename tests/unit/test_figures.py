"""Do figures show what they are given, the same bytes each time, and nothing hostile?"""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import report_fakes as fakes
from matplotlib.figure import Figure
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import style
from prakerja_eval.language import Catalogue


def draw(kind: str, synthetic: bool = False) -> Figure:
    """Return one figure of each kind."""
    if kind == "forest":
        answers = fakes.agreement("income")
        return pe.figures.forest(answers, unit="dollars", synthetic=synthetic)
    if kind == "love":
        return pe.figures.love(fakes.balance(), synthetic=synthetic)
    if kind == "overlap":
        return pe.figures.overlap(fakes.overlap(), synthetic=synthetic)
    return pe.figures.paths(fakes.paths(), outcome="income", synthetic=synthetic)


KINDS = ("forest", "love", "overlap", "paths")


def texts(figure: Figure) -> list[str]:
    """Return every text on a figure."""
    figure.canvas.draw()
    return [t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_text()]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_input_gives_the_same_bytes_under_any_settings(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = pe.figures.save(draw(kind), tmp_path / "a", kind)
    draw("overlap")
    with mpl.rc_context({"font.size": 31, "axes.grid": True, "svg.hashsalt": "other"}):
        second = pe.figures.save(draw(kind), tmp_path / "b", kind)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_files_tell_neither_date_nor_program(kind: str, tmp_path: Path) -> None:
    svg, png = pe.figures.save(draw(kind), tmp_path, kind)
    assert b"dc:date" not in svg.read_bytes()
    assert b"Matplotlib" not in svg.read_bytes()
    assert b"Software" not in png.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_letters_are_drawn_so_that_no_font_is_needed(kind: str) -> None:
    tree = ElementTree.fromstring(pe.figures.as_svg(draw(kind)))
    assert not list(tree.iter("{http://www.w3.org/2000/svg}text"))


@pytest.mark.parametrize("kind", KINDS)
def test_synthetic_data_are_said_on_the_figure(kind: str) -> None:
    assert "synthetic data" in texts(draw(kind, synthetic=True))
    assert "synthetic data" not in texts(draw(kind))


LONG = "A very long name of a group of people in the programme, with many words"


def crowded(kind: str) -> Figure:
    """Return a figure with long names, many waves and a value that is not finite."""
    if kind == "forest":
        answers = fakes.agreement("income")
        answers.frame["label"] = [LONG, f"{LONG}, {LONG}", "DiD"]
        return pe.figures.forest(answers, unit="rupiah", title=LONG, synthetic=True)
    if kind == "love":
        frame = fakes.balance().assign(covariate=[LONG, "schooling"] * 2)
        frame.loc[0, "smd"] = np.inf
        return pe.figures.love(frame, synthetic=True)
    if kind == "overlap":
        return pe.figures.overlap(fakes.overlap(), synthetic=True)
    frame = pd.DataFrame(
        [
            ("y", f"{LONG} {k}", f"2020-{m:02d} wave", 50, 1e6 * k + 1e5 * m, 4e5)
            for k in range(7)
            for m in range(1, 13)
        ],
        columns=["outcome", "group", "wave", "n", "mean", "std_error"],
    )
    return pe.figures.paths(frame, title=LONG, unit="rupiah", synthetic=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("full", [False, True])
def test_nothing_reaches_out_of_the_figure(kind: str, full: bool) -> None:
    figure = crowded(kind) if full else draw(kind, synthetic=True)
    figure.canvas.draw()
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height


def test_figures_leave_pyplot_and_the_settings_alone() -> None:
    code = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        import matplotlib as mpl
        def now():
            return {k: mpl.rcParams[k] for k in mpl.rcParams if k != "backend"}
        before = now()
        import report_fakes as fakes, prakerja_eval as pe
        pe.figures.as_svg(pe.figures.love(fakes.balance()))
        print("matplotlib.pyplot" in sys.modules, now() == before)
    """
    here = str(Path(__file__).parent)
    run = subprocess.run(
        [sys.executable, "-c", code, here], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["False", "True"]


def test_the_forest_draws_the_benchmark_as_a_band_through_all() -> None:
    axis = draw("forest").axes[0]
    (band,) = [p for p in axis.patches if p.get_width() > 0]
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((500.0, 2500.0))


def test_the_forest_prints_each_label_and_number() -> None:
    found = texts(draw("forest"))
    for text in ("Experiment", "1,500", "Matching", "1,100", "DiD", "\N{MINUS SIGN}600"):
        assert text in found


def test_the_forest_speaks_indonesian() -> None:
    figure = pe.figures.forest(
        fakes.agreement("income"), unit="dollars", catalogue=Catalogue.named("id")
    )
    assert {"1.500", "Selang 95 persen dari Experiment"} <= set(texts(figure))


def test_the_forest_takes_findings_of_one_outcome() -> None:
    figure = pe.figures.forest(fakes.findings(), outcome="works")
    assert "15.0" in texts(figure)
    with pytest.raises(UsageError, match="income, works"):
        pe.figures.forest(fakes.findings())
    with pytest.raises(UsageError, match="income, works"):
        pe.figures.forest(fakes.findings(), outcome="wages")


def test_a_row_without_an_estimate_keeps_its_place_in_the_forest() -> None:
    answers = fakes.agreement("income")
    answers.frame.loc[1, ["estimate", "conf_low", "conf_high"]] = np.nan
    found = texts(pe.figures.forest(answers, unit="dollars"))
    assert {"Matching", "–"} <= set(found)


def test_the_love_plot_has_its_rule_at_a_tenth_and_absolute_values() -> None:
    axis = draw("love").axes[0]
    before, after, rule = axis.get_lines()[:3]
    assert list(before.get_xdata()) == [0.8, 0.5]
    assert list(after.get_xdata()) == [0.05, 0.12]
    assert set(rule.get_xdata()) == {0.1}


def test_overlap_counts_people_and_hatches_a_hidden_bin_but_not_an_empty_one() -> None:
    treated, comparison = draw("overlap").axes
    tops = [[p.get_y() + p.get_height() for p in axis.patches] for axis in (treated, comparison)]
    assert tops[0] == pytest.approx([10, 20, 30, 40])
    assert tops[1][:2] == pytest.approx([70, 20])
    assert len(tops[1]) == 3  # the empty bin has no bar
    assert [bool(p.get_hatch()) for p in comparison.patches] == [False, False, True]
    assert treated.get_yscale() == comparison.get_yscale() == "log"


def test_overlap_draws_hatches_alone_where_every_count_is_hidden() -> None:
    hidden = fakes.overlap().assign(n=np.nan)
    figure = pe.figures.overlap(hidden)
    assert all(p.get_hatch() for axis in figure.axes for p in axis.patches)
    assert np.isfinite(figure.axes[0].get_ylim()).all()


@pytest.mark.parametrize("span", [0.13, 0.4, 0.9, 3.0, 40.0])
def test_a_tick_says_where_it_stands(span) -> None:
    figure = plt.figure()
    axis = figure.subplots()
    axis.set_xlim(0.2, 0.2 + span)
    style.number_axis(axis, Catalogue.named("en"), style.tick_digits(0.2, 0.2 + span))
    figure.canvas.draw()
    for place, text in zip(axis.get_xticks(), axis.get_xticklabels(), strict=True):
        assert float(text.get_text().replace("−", "-")) == pytest.approx(place, abs=1e-9)
    plt.close(figure)


def test_paths_have_intervals_of_their_level() -> None:
    figure = pe.figures.paths(fakes.paths(), outcome="income", level=0.9)
    bar = figure.axes[0].containers[0].lines[2][0].get_segments()[0]
    half = stats.norm.ppf(0.95) * 300  # normal quantile times the standard error
    assert bar[1, 1] - bar[0, 1] == pytest.approx(2 * half)


@pytest.mark.parametrize("verb", ["love", "overlap"])
def test_one_of_several_matchings_must_be_named(verb: str) -> None:
    frame = fakes.balance() if verb == "love" else fakes.overlap()
    both = frame.assign(name=["a", "b"] * (len(frame) // 2))
    with pytest.raises(UsageError, match="a, b"):
        getattr(pe.figures, verb)(both)
    with pytest.raises(UsageError, match="no matching is named 'c'"):
        getattr(pe.figures, verb)(both, name="c")


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", "--><script>", "$\\input{x}$", "& ]]>"]
)
def test_a_hostile_label_is_only_drawn(label: str) -> None:
    answers = fakes.agreement("income")
    answers.frame["label"] = ["Experiment", label, "DiD"]
    svg = pe.figures.as_svg(pe.figures.forest(answers, unit=label, title=label))
    tree = ElementTree.fromstring(svg)
    assert not [e for e in tree.iter() if e.tag.lower().endswith("script")]
