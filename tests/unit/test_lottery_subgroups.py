"""Effects by group: those of the group's own panel, and a joint test that says its null."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.lottery.subgroups import same_effect, subgroups
from prakerja_eval.lottery.zeros import zeros


def people(n=360, seed=8):
    rng = np.random.default_rng(seed)
    won = (rng.random(n) < 0.4).astype(int)
    region = np.array(["east", "north", "west"])[np.arange(n) % 3]
    took = won * (rng.random(n) < 0.8)
    income = 10 + 2 * took * (region == "east") + rng.normal(size=n) * 3
    return pd.DataFrame(
        {
            "id": [f"SYN-{i:06d}" for i in range(n)],
            "won": won,
            "took": took,
            "region": region,
            "district": np.arange(n) // 6 % 30,
            "income": income,
            "hours": income * 2 + rng.normal(size=n),
        }
    )


def panel_of(frame, **roles):
    return pe.read_panel(
        frame, pe.Roles(unit="id", offer="won", received="took", clusters="district", **roles)
    )


@pytest.mark.parametrize("verb", [pe.lottery.itt, pe.lottery.late])
def test_each_group_has_the_answer_of_its_own_panel(verb):
    panel = panel_of(people())
    found = subgroups(panel, ["income", "hours"], "region", verb=verb)
    assert list(dict.fromkeys(found.index["subgroup"])) == [
        "region = east",
        "region = north",
        "region = west",
    ]
    for region in ("east", "north", "west"):
        own = verb(panel.where(region=region), ["income", "hours"]).tidy()
        mine = pe.subset(found, subgroup=f"region = {region}").tidy()
        np.testing.assert_array_equal(mine["estimate"], own["estimate"])
        np.testing.assert_allclose(mine["std_error"], own["std_error"], rtol=1e-13)  # sums
        assert list(mine["n"]) == list(own["n"])


def test_the_joint_test_is_walds_on_independent_groups_and_prints_its_null():
    found = subgroups(panel_of(people()), "income", "region")
    table = found.tidy()
    theta, v = table["estimate"].to_numpy(), table["std_error"].to_numpy() ** 2
    centre = np.sum(theta / v) / np.sum(1 / v)
    statistic = np.sum((theta - centre) ** 2 / v) / 2  # Cochran's Q over its degrees of freedom
    test = same_effect(found)
    assert test.statistic == pytest.approx(statistic, rel=1e-10)
    assert test.p_value == pytest.approx(stats.f.sf(statistic, 2, table["df"].min()), rel=1e-10)
    assert repr(test).startswith(
        "H0: the effect on income is the same in region = east, region = north and region = west"
    )
    assert pe.test_equal(found, by="subgroup").statistic == pytest.approx(test.statistic)


def test_several_outcomes_are_tested_at_once_with_their_covariance():
    found = subgroups(panel_of(people()), ["income", "hours"], "region")
    test = same_effect(found, pe.Clustered("district"))
    assert "income and hours" in test.null
    east, north, west = (
        np.flatnonzero(found.index["subgroup"] == f"region = {r}")
        for r in ("east", "north", "west")
    )
    gap = np.concatenate(
        [found.theta[east] - found.theta[west], found.theta[north] - found.theta[west]]
    )
    S = pe.estimate.variance(found, pe.Clustered("district")).scores
    gaps = np.hstack([S[:, east] - S[:, west], S[:, north] - S[:, west]])
    statistic = gap @ np.linalg.solve(gaps.T @ gaps, gap) / 4
    assert test.df == 4
    assert test.statistic == pytest.approx(statistic, rel=1e-9)


def test_groups_that_share_clusters_are_not_independent():
    found = subgroups(panel_of(people()), "income", "region")
    spread = pe.estimate.variance(found, pe.Clustered("district")).covariance
    assert (np.abs(spread[np.triu_indices(3, 1)]) > 1e-6).all()


def test_the_parts_of_zeros_are_compared_each_with_its_own():
    panel = panel_of(people().assign(income=lambda f: f["income"].clip(lower=0).round()))
    found = subgroups(panel, "income", "region", verb=zeros)
    parts = pe.subset(found, estimand=["ITT", "ITT / comparison mean, Poisson"])
    assert same_effect(parts).df == 4


def test_a_column_that_is_not_of_the_baseline_makes_no_groups():
    frame = pd.concat([people().assign(wave=w) for w in (0, 1)], ignore_index=True)
    frame["took"] *= frame["wave"]
    frame["later"] = frame["region"].where(frame["wave"] == 1)
    frame["moves"] = frame["wave"] * (frame["income"] > 10)
    panel = panel_of(frame, wave="wave", baseline=0)
    with pytest.raises(UsageError, match=r"360 unit\(s\) have no value in 'later' at the baseline"):
        subgroups(panel, "income", "later")
    with pytest.raises(UsageError, match="'moves' varies over waves"):
        subgroups(panel, "income", "moves")
    with pytest.raises(UsageError, match="has one value, 1"):
        subgroups(panel_of(people().assign(one=1)), "income", "one")
    with pytest.raises(UsageError, match=r"120 unit\(s\) have no value"):
        subgroups(
            panel_of(people().assign(some=lambda f: f["region"].replace("west", np.nan))),
            "income",
            "some",
        )


def test_a_group_without_an_answer_is_named_and_keeps_the_kind_of_refusal():
    frame = people()
    frame.loc[frame["region"] == "north", "won"] = 1
    with pytest.raises(
        DataError, match=r"(?s)in the group region = north: .*nobody to compare with"
    ):
        subgroups(panel_of(frame), "income", "region")


def test_unlike_groups_and_estimates_without_groups_are_not_compared():
    frame = people()
    crossed = (frame["region"] == "west") & (frame["won"] == 0) & (frame.index % 5 == 0)
    frame.loc[crossed, "took"] = 1  # so that the west has compliers, the others treated people
    found = subgroups(panel_of(frame), "income", "region", verb=pe.lottery.late)
    with pytest.raises(UsageError, match=r"differ in estimand .*east: ATT.*west: LATE"):
        same_effect(found)
    with pytest.raises(UsageError, match="here are none"):
        same_effect(pe.lottery.itt(panel_of(frame), ["income", "hours"]))
