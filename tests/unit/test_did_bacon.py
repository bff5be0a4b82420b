"""The decomposition adds up to the coefficient, and each part is the comparison that it names."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prakerja_eval as pe
from prakerja_eval.did.bacon import bacon
from prakerja_eval.did.twfe import twfe
from prakerja_eval.errors import UsageError


def draw(starts, sizes, waves=6, seed=3, level=0.0):
    """Return a balanced panel with as many units a cohort."""
    rng = np.random.default_rng(seed)
    g = np.repeat(starts, sizes)
    n = len(g)
    unit, wave = np.divmod(np.arange(n * waves), waves)
    y = level + np.round(rng.normal(size=n * waves), 3) + 0.3 * (wave + 1 >= g[unit]) * wave
    w = rng.integers(1, 5, n)[unit] / 2
    return pd.DataFrame({"id": unit, "t": wave + 1, "g": g[unit], "y": y, "w": w})


def panel_of(data, **roles):
    return pe.read_panel(data, pe.Roles(unit="id", wave="t", cohort="g", **roles))


def by_hand(data, treated, comparison):
    """Return the change of one cohort less that of another, over the waves when that one is still.

    A third way to the number: regress on treatment and dummies in the rows of the two alone.
    """
    rows = data[data.g.isin([treated, comparison])]
    first = {0: 99}.get(comparison, comparison)
    rows = rows[rows.t >= first] if first < treated else rows[rows.t < first]
    d = (rows.g == treated) & (rows.t >= treated)
    dummies = [pd.get_dummies(rows[c]).to_numpy(float) for c in ("id", "t")]
    X = np.column_stack([d.to_numpy(float), *dummies])
    root = np.sqrt(rows.w.to_numpy())
    return np.linalg.lstsq(X * root[:, None], rows.y.to_numpy() * root, rcond=None)[0][0]


@settings(max_examples=15, deadline=None)
@given(
    starts=st.sets(st.integers(0, 6), min_size=2),
    seed=st.integers(0, 99),
    level=st.sampled_from([0.0, 2.0**20]),
)
def test_weights_sum_to_one_and_the_parts_to_the_coefficient(starts, seed, level):
    starts = sorted(starts)
    if not any(1 < g <= 6 for g in starts):
        starts = [*starts, 4]
    sizes = np.random.default_rng(seed).integers(1, 5, len(starts))
    panel = panel_of(draw(starts, sizes, seed=seed, level=level), weight="w")
    found = bacon(panel, "y")
    assert (found.frame.weight > 0).all()
    assert found.frame.weight.sum() == pytest.approx(1.0, abs=1e-12)
    total = found.frame.weight @ found.frame.estimate
    scale = found.frame.estimate.abs().max()
    assert total == pytest.approx(twfe(panel, "y").theta[0], abs=1e-10 * scale)
    assert found.estimate == twfe(panel, "y").theta[0]


def test_each_part_is_the_regression_on_the_two_cohorts_alone():
    data = draw([0, 1, 3, 5], [4, 3, 5, 2])
    found = bacon(panel_of(data, weight="w"), "y").frame
    code = {"never treated": 0, "always treated": 1}
    for row in found.itertuples():
        expected = by_hand(data, row.treated, code.get(row.comparison, row.comparison))
        assert row.estimate == pytest.approx(expected, abs=1e-10)


def test_the_kinds_of_comparison_with_always_and_never_treated():
    found = bacon(panel_of(draw([0, 1, 3, 5], [2, 2, 2, 2])), "y").frame
    kinds = {(r.treated, r.comparison): r.kind for r in found.itertuples()}
    assert kinds == {
        (3, "never treated"): "treated against never treated",
        (5, "never treated"): "treated against never treated",
        (3, "always treated"): "treated against always treated",
        (5, "always treated"): "treated against always treated",
        (3, 5): "earlier against later",
        (5, 3): "later against already treated",
    }


def test_a_start_after_the_last_wave_is_never_treated_here():
    early = bacon(panel_of(draw([0, 3], [4, 4])), "y")
    late = bacon(panel_of(draw([9, 3], [4, 4])), "y")
    assert set(late.frame.comparison) == {"never treated"}
    assert late.frame.weight.tolist() == early.frame.weight.tolist() == [1.0]


def test_cohorts_that_start_between_the_same_waves_are_one():
    data = draw([0, 3, 4], [3, 3, 3])
    sparse = data[data.t != 3]  # cohorts 3 and 4 are both first seen treated in wave 4
    found = bacon(panel_of(sparse), "y")
    assert found.frame.treated.tolist() == ["3, 4"]
    assert found.estimate == pytest.approx(twfe(panel_of(sparse), "y").theta[0])


def test_the_worked_example_of_goodman_bacon_weights():
    # Equal groups, k treated in 2 of 3 periods (D = 2/3), l in 1 (D = 1/3): by equation (10),
    # s_kU = s_lU = n n D (1 - D), s_kl = n n (D_k - D_l)(1 - D_k), s_lk = n n D_l (D_k - D_l):
    # 2/9, 2/9, 1/9, 1/9, so that a third of the weight is on the two timing groups.
    found = bacon(panel_of(draw([0, 2, 3], [2, 2, 2], waves=3)), "y")
    parts = found.frame.set_index(["treated", "comparison"]).weight
    expected = {
        (2, "never treated"): 1 / 3,
        (3, "never treated"): 1 / 3,
        (2, 3): 1 / 6,
        (3, 2): 1 / 6,
    }
    assert parts.to_dict() == pytest.approx(expected, abs=1e-12)
    kinds = found.by_kind().set_index("kind").weight
    assert kinds["treated against never treated"] == pytest.approx(2 / 3)


def test_growing_effects_make_the_comparison_with_the_already_treated_wrong():
    data = draw([2, 4], [3, 3])
    data["y"] = np.where(data.t >= data.g, 1.0 + data.t - data.g, 0.0)
    kinds = bacon(panel_of(data), "y").frame.set_index("kind").estimate
    assert kinds["earlier against later"] == pytest.approx(1.5)
    assert kinds["later against already treated"] < 0  # though every effect is one or more


def test_an_unbalanced_panel_is_refused_with_what_to_do():
    data = draw([0, 3], [3, 3]).drop(index=[1, 8])
    with pytest.raises(UsageError, match=r"2 people lack 'y'.*Keep the people seen in every wave"):
        bacon(panel_of(data), "y")


def test_people_without_any_outcome_count_nowhere():
    data = draw([0, 3], [3, 3])
    blank = data.assign(y=data.y.where(data.id != 0))
    ours, theirs = bacon(panel_of(blank), "y"), bacon(panel_of(data[data.id != 0]), "y")
    pd.testing.assert_frame_equal(ours.frame, theirs.frame)


@pytest.mark.parametrize(
    ("starts", "words"), [([0, 1], "treatment never changes"), ([3], "everybody is first treated")]
)
def test_treatment_that_does_not_vary_is_refused(starts, words):
    with pytest.raises(UsageError, match=words):
        bacon(panel_of(draw(starts, [3] * len(starts))), "y")


def test_it_prints_the_coefficient_the_kinds_and_the_parts():
    found = bacon(panel_of(draw([0, 3, 5], [2, 2, 2])), "y")
    text, html = repr(found), found._repr_html_()
    assert text.startswith(f"TWFE coefficient of y: {found.estimate:.6g}")
    assert "later against already treated" in text
    assert html.count("<table") == 2
    lines = [text.index(kind) for kind in found.by_kind().kind]
    assert all(a < b for a, b in pairwise(lines))
