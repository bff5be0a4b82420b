"""Do the standard estimators ask the public verbs, and are the naive ones what people compute?"""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.compare.estimators import STANDARD, standard
from prakerja_eval.errors import UsageError

WAVES = ("2020-07", "2021-02", "2021-08")
COVARIATES = ("age",)


def made(late_starts: bool = True) -> pe.Panel:
    """Return 60 people in two blocks over three waves; winners receive, most in 2021-02."""
    random = np.random.default_rng(8)
    n = 60
    won = np.tile([1, 0, 0], n // 3)
    late = late_starts & (np.arange(n) % 9 == 0)
    start = np.where(won == 1, np.where(late, 2, 1), 9)
    rows = [
        {
            "id": f"SYN-{i:03d}",
            "wave": wave,
            "block": "ab"[i % 2],
            "won": int(won[i]),
            "received": int(t >= start[i]),
            "cohort": WAVES[start[i]] if won[i] else "0",
            "age": float(20 + i % 23),
            "hours": 30 + 3 * t + 4 * won[i] * (t > 0) + 5 * random.standard_normal(),
        }
        for i in range(n)
        for t, wave in enumerate(WAVES)
    ]
    frame = pd.DataFrame(rows)
    frame.loc[(frame["id"] == "SYN-004") & (frame["wave"] == WAVES[2]), "hours"] = np.nan
    roles = pe.Roles(
        unit="id", wave="wave", baseline=WAVES[0], offer="won", received="received",
        cohort="cohort", blocks="block",
    )  # fmt: skip
    return pe.read_panel(frame, roles)


@pytest.fixture(scope="module")
def panel() -> pe.Panel:
    return made()


def by(name: str, panel: pe.Panel) -> pe.Estimate:
    return standard([name], "hours", covariates=COVARIATES)[name].estimate(panel)


def wide(panel: pe.Panel, column: str) -> np.ndarray:
    return panel.wide(column).to_numpy(float)


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("lottery.itt", lambda p: pe.lottery.itt(p, "hours")),
        ("lottery.late", lambda p: pe.lottery.late(p, "hours")),
        ("did.group_time", lambda p: pe.did.overall(pe.did.group_time(p, "hours"))),
        ("did.imputation", lambda p: pe.did.overall(pe.did.imputation(p, "hours"))),
        ("did.twfe", lambda p: pe.did.twfe(p, "hours")),
    ],
)
def test_a_name_asks_the_public_verb(panel, name, verb) -> None:
    assert by(name, panel).theta.tolist() == verb(panel).theta.tolist()


@pytest.mark.parametrize(("name", "arm"), [("naive.winners", "won"), ("naive.difference", None)])
def test_a_naive_comparison_is_the_difference_of_two_means(panel, name, arm) -> None:
    found = by(name, panel).findings().frame
    hours, in_arm = wide(panel, "hours"), wide(panel, arm or "received")
    for k, t in enumerate((1, 2)):
        one, zero = (hours[in_arm[:, t] == a, t] for a in (1, 0))
        one, zero = one[~np.isnan(one)], zero[~np.isnan(zero)]
        assert found["estimate"].iloc[k] == pytest.approx(one.mean() - zero.mean(), rel=1e-12)
        variance = one.var() / len(one) + zero.var() / len(zero)  # HC0: no degrees of freedom
        assert found["std_error"].iloc[k] == pytest.approx(np.sqrt(variance), rel=1e-12)
        assert (found["n"].iloc[k], found["n_treated"].iloc[k]) == (len(one) + len(zero), len(one))


def test_before_and_after_is_the_mean_change_of_recipients(panel) -> None:
    found = by("naive.before_after", panel).findings().frame
    hours, received = wide(panel, "hours"), wide(panel, "received")
    change = (hours[:, 2] - hours[:, 0])[received[:, 2] == 1]
    change = change[~np.isnan(change)]
    assert found["estimate"].iloc[1] == pytest.approx(change.mean(), rel=1e-12)
    se = change.std() / np.sqrt(len(change))
    assert found["std_error"].iloc[1] == pytest.approx(se, rel=1e-12)


def test_matching_is_about_those_who_had_received_by_the_last_wave(panel) -> None:
    # by the verbs themselves, on data in which everybody starts in the last wave
    data = panel.frame
    ever = data.groupby("id")["received"].transform("max")
    data["received"] = ever.where(data["wave"] == WAVES[2], 0)
    static = pe.read_panel(
        data.drop(columns="cohort"),
        pe.Roles(unit="id", wave="wave", baseline=WAVES[0], received="received"),
    )
    pairs = pe.matching.match(static, covariates=COVARIATES)
    known = pe.matching.att(static, pairs, "hours", waves=[WAVES[2]])
    assert by("matching.att", panel).theta.tolist() == known.theta.tolist()


def test_a_wave_without_recipients_has_a_reason_and_the_others_a_number() -> None:
    early = made(late_starts=False).frame
    early["received"] = early["received"].where(early["wave"] == WAVES[2], 0)
    roles = pe.Roles(unit="id", wave="wave", baseline=WAVES[0], received="received")
    found = by("naive.difference", pe.read_panel(early.drop(columns="cohort"), roles))
    assert np.isnan(found.theta[0])
    assert "fewer than two" in found.counts["status"].iloc[0]
    assert np.isfinite(found.theta[1])


def test_before_and_after_needs_a_baseline(panel) -> None:
    roles = pe.Roles(unit="id", wave="wave", received="received")
    bare = pe.read_panel(panel.frame.drop(columns="cohort"), roles)
    with pytest.raises(UsageError, match="baseline"):
        by("naive.before_after", bare)


def test_several_outcomes_are_rows_of_one_estimator(panel) -> None:
    every = standard(list(STANDARD), ["hours", "age"], covariates=COVARIATES)
    assert list(every) == list(STANDARD)
    outcomes = every["did.twfe"].estimate(panel).index["outcome"].tolist()
    assert outcomes == ["hours", "age"]
