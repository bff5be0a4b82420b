"""Does the comparison of designs state differences with the covariance of shared people?"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(12)
    n = 200
    frame = pd.DataFrame({"id": [f"SYN-{i:06d}" for i in range(n)], "won": np.arange(n) % 2})
    frame["age"] = rng.normal(size=n)
    frame["village"] = rng.integers(0, 20, n)
    frame["income"] = frame.won + frame.age + rng.normal(size=n)
    panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won", clusters="village"))
    plain = pe.lottery.itt(panel, "income")
    adjusted = pe.lottery.itt(panel, "income", pe.lottery.Design(covariates=("age",)))
    half = pe.lottery.itt(pe.read_panel(frame[:120], panel.roles), "income")
    return plain, adjusted, pe.rename(half, specification="first 120")


def test_differences_from_the_benchmark_and_their_errors_by_hand(rows):
    plain, adjusted, half = rows
    inference = pe.Clustered("unit", "none")
    found = pe.compare.agreement(plain, [adjusted, half], by="specification", inference=inference)
    frame = found.frame
    assert list(frame["label"]) == ["unadjusted", "adjusted for age", "first 120"]
    assert frame.filter(like="diff").iloc[0].isna().all()
    gap = adjusted.psi[:, 0] - plain.psi[:, 0]
    padded = np.concatenate([half.psi[:, 0], np.zeros(80)]) - plain.psi[:, 0]
    for k, (other, psi) in enumerate(((adjusted, gap), (half, padded)), start=1):
        difference, se = (other.theta - plain.theta)[0], np.sqrt(psi @ psi)
        line = frame.iloc[k]
        np.testing.assert_allclose(line["difference"], difference, rtol=1e-12)
        np.testing.assert_allclose(line["diff_std_error"], se, rtol=1e-10)
        p = 2 * stats.norm.sf(abs(difference) / se)
        np.testing.assert_allclose(line["diff_p_value"], p, rtol=1e-8)
        np.testing.assert_allclose(
            [line["diff_conf_low"], line["diff_conf_high"]],
            difference + np.array([-1, 1]) * stats.norm.ppf(0.975) * se,
            rtol=1e-9,
        )
    v = np.column_stack([gap, padded])
    theta = np.array([(adjusted.theta - plain.theta)[0], (half.theta - plain.theta)[0]])
    np.testing.assert_allclose(
        found.joint.statistic, theta @ np.linalg.solve(v.T @ v, theta), rtol=1e-8
    )
    assert found.joint.df == 2


def test_people_in_common_make_the_difference_surer_than_two_answers_apart(rows):
    plain, adjusted, _ = rows
    frame = pe.compare.agreement(plain, [adjusted], by="specification").frame
    apart = np.hypot(*frame["std_error"])
    assert frame["diff_std_error"].iloc[1] < 0.9 * apart


def test_the_rows_are_those_that_infer_gives(rows):
    found = pe.compare.agreement(rows[0], rows[1:2], by="specification", level=0.9)
    alone = pe.infer(rows[1], level=0.9).frame.iloc[0]
    line = found.frame.iloc[1]
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        np.testing.assert_allclose(line[name], alone[name], rtol=1e-12)


def test_unlike_rows_and_several_parameters_are_refused(rows):
    plain, adjusted, _ = rows
    with pytest.raises(UsageError, match="differ in estimand"):
        pe.compare.agreement(plain, [pe.rename(adjusted, estimand="ATT")], by="specification")
    for benchmark, others in ((pe.join(plain, adjusted), [plain]), (plain, [])):
        with pytest.raises(UsageError, match="one parameter each"):
            pe.compare.agreement(benchmark, others)
    with pytest.raises(NotEstimableError, match="with itself"):
        pe.compare.agreement(plain, [pe.rename(plain, specification="twin")], by="specification")


def test_the_printed_comparison_states_its_null_and_escapes_labels(rows):
    plain, adjusted, _ = rows
    other = pe.rename(adjusted, specification="<b>age</b>")
    found = pe.compare.agreement(plain, [other], by="specification")
    assert "H0: the effect on income is the same" in repr(found)
    assert "<b>" not in found._repr_html_()
    assert found.outcome == "income"
