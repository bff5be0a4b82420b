"""What a second reading of the statistics mended: receipt, weights, groups, shares and defaults."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import UsageError

COHORT = {"unit": "id", "wave": "wave", "baseline": 1}


def three_waves(n: int = 400, seed: int = 4) -> pd.DataFrame:
    """Half are treated in wave 3; a third of everyone has no row there."""
    rng = np.random.Generator(np.random.PCG64(seed))
    treated = np.arange(n) % 2
    x = rng.normal(size=n) + 0.5 * treated
    lost = rng.random(n) < 0.33
    rows = []
    for wave in (1, 2, 3):
        y = x + 0.3 * wave + rng.normal(size=n) + 1.0 * treated * (wave == 3)
        rows.append(
            pd.DataFrame(
                {
                    "id": [f"SYN-{i:06d}" for i in range(n)],
                    "wave": wave,
                    "trained": treated * (wave == 3),
                    "first": 3 * treated,
                    "x": x,
                    "income": y,
                }
            )[~lost if wave == 3 else np.ones(n, dtype=bool)]
        )
    return pd.concat(rows, ignore_index=True)


def test_people_whose_receipt_was_never_seen_belong_to_no_arm() -> None:
    """The placebo of those whose receipt is known, computed on them alone by hand."""
    frame = three_waves()
    known = frame.loc[frame["wave"] == 3, "id"]
    panel = pe.read_panel(frame, pe.Roles(**COHORT, received="trained"))
    found = pe.did.two_by_two(panel, "income", base=1, waves=[2])
    wide = frame[frame["id"].isin(known)].pivot_table("income", "id", "wave")
    first = frame.drop_duplicates("id").set_index("id").loc[wide.index, "first"]
    change = wide[2] - wide[1]
    by_hand = change[first == 3].mean() - change[first == 0].mean()
    np.testing.assert_allclose(found.theta[0], by_hand, rtol=1e-12)
    assert found.counts["n"][0] == len(known)
    assert found.index["event_time"][0] == -1.0


def test_a_cohort_column_keeps_everyone() -> None:
    frame = three_waves()
    panel = pe.read_panel(frame, pe.Roles(**COHORT, cohort="first"))
    assert pe.did.two_by_two(panel, "income", base=1, waves=[2]).counts["n"][0] == 400


def test_a_missing_first_treated_wave_is_no_start_of_its_own() -> None:
    """One of the treated misses wave 2, in which all of them were treated."""
    frame = three_waves()
    frame["trained"] = ((frame["first"] == 3) & (frame["wave"] >= 2)).astype(int)
    last = frame.loc[(frame["wave"] == 3) & (frame["first"] == 3), "id"].iloc[0]
    gone = (frame["id"] == last) & (frame["wave"] == 2)
    panel = pe.read_panel(frame[~gone], pe.Roles(**COHORT, received="trained"))
    assert np.isfinite(pe.did.two_by_two(panel, "income", waves=[3]).theta[0])


def test_two_starts_without_a_cohort_are_refused() -> None:
    frame = three_waves()
    early = frame["id"].isin(frame["id"].unique()[1:40:2])
    frame.loc[early & (frame["wave"] == 2), "trained"] = 1
    panel = pe.read_panel(frame, pe.Roles(**COHORT, received="trained"))
    with pytest.raises(UsageError, match="several waves"):
        pe.did.two_by_two(panel, "income", waves=[3])


def cross_section(seed: int, n: int = 500) -> pd.DataFrame:
    rng = np.random.Generator(np.random.PCG64(seed))
    group = rng.integers(0, 3, n)
    x = rng.normal(size=n)
    trained = (rng.random(n) < 1 / (1 + np.exp(-0.7 * x))).astype(int)
    income = 20.0 * group + x + trained + rng.normal(size=n)
    return pd.DataFrame(
        {"id": [f"SYN-{i:06d}" for i in range(n)], "trained": trained, "x": x, "g": group}
    ).assign(income=income)


@pytest.mark.parametrize("estimand", ["ATT", "ATC", "ATE"])
def test_matched_weights_reproduce_the_estimate(estimand: str) -> None:
    frame = cross_section(8)
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    design = pe.matching.Nearest(estimand=estimand, ratio=2)
    pairs = pe.matching.match(panel, design, covariates=["x"])
    arms = [frame["trained"] == 1, frame["trained"] == 0]
    means = [np.average(frame.loc[a, "income"], weights=pairs.weights[a]) for a in arms]
    theta = pe.matching.att(panel, pairs, "income").theta[0]
    np.testing.assert_allclose(means[0] - means[1], theta, rtol=1e-10)
    after = pairs.balance().frame.query("stage == 'after' and covariate == 'x'").iloc[0]
    x = [np.average(frame.loc[a, "x"], weights=pairs.weights[a]) for a in arms]
    np.testing.assert_allclose(after["mean_treated"] - after["mean_comparison"], x[0] - x[1])


def test_levels_of_exact_groups_do_not_widen_the_standard_error() -> None:
    """Pairs agree on the group, so that adding 20 times the group changes no pair's difference."""
    frame = cross_section(9)
    flat = frame.assign(income=frame["income"] - 20.0 * frame["g"])
    errors = []
    for data in (frame, flat):
        panel = pe.read_panel(data, pe.Roles(unit="id", received="trained"))
        design = pe.matching.Nearest(exact=("g",))
        pairs = pe.matching.match(panel, design, covariates=["x"])
        errors.append(pe.matching.att(panel, pairs, "income").findings().frame["std_error"][0])
    np.testing.assert_allclose(errors[0], errors[1], rtol=1e-8)


def test_pairs_keep_their_names_over_waves_with_attrition() -> None:
    frame = three_waves()
    panel = pe.read_panel(frame, pe.Roles(**COHORT, cohort="first"))
    pairs = pe.matching.match(panel, pe.matching.Nearest(replace=False), covariates=["x"])
    both = pe.matching.att(panel, pairs, "income", waves=[2, 3])
    together = pe.infer(both, pe.Clustered("pair", "stata")).frame["std_error"]
    for k, wave in enumerate((2, 3)):
        alone = pe.matching.att(panel, pairs, "income", waves=[wave])
        one = pe.infer(alone, pe.Clustered("pair", "stata")).frame["std_error"][0]
        np.testing.assert_allclose(together[k], one, rtol=1e-12)


def lottery_and_outside(blocks: int) -> tuple[pe.Panel, pe.Panel]:
    """Winners of a lottery in blocks with effects of their own, and people who never applied."""
    rng = np.random.Generator(np.random.PCG64(21))
    n = 900
    block = rng.integers(0, blocks, n)
    role = np.repeat(["winner", "loser", "outside"], n // 3)
    won = (role == "winner").astype(int)
    rows = []
    for wave in (1, 2):
        gain = won * (wave == 2) * (1.0 + 2.0 * block)
        income = 0.5 * wave + gain + rng.normal(size=n)
        rows.append(
            pd.DataFrame(
                {
                    "id": [f"SYN-{i:06d}" for i in range(n)],
                    "wave": wave,
                    "block": block,
                    "role": role,
                    "won": won,
                    "trained": won * (wave == 2),
                    "income": income,
                }
            )
        )
    roles = pe.Roles(**COHORT, offer="won", received="trained", blocks="block")
    panel = pe.read_panel(pd.concat(rows), roles)
    return panel.where(role=("winner", "loser")), panel.where(role=("winner", "outside"))


def difference(blocks: int, shares: str) -> tuple[float, pe.compare.Agreement]:
    lottery, outside = lottery_and_outside(blocks)
    design = pe.lottery.Design(block_weights="treated", shares=shares)
    did = pe.did.two_by_two(outside, "income")
    made = pe.compare.agreement(pe.lottery.late(lottery, "income", design), [did])
    return float(made.frame["diff_std_error"][1]), made


def test_across_designs_the_block_shares_count_as_drawn() -> None:
    fixed, made = difference(6, "fixed")
    drawn, _ = difference(6, "superpopulation")
    np.testing.assert_allclose(fixed, drawn, rtol=1e-12)
    assert "drawn" in made.joint.note
    own = made.frame["std_error"][0]
    lottery, _ = lottery_and_outside(6)
    alone = pe.lottery.late(lottery, "income", pe.lottery.Design(block_weights="treated"))
    np.testing.assert_allclose(own, alone.findings().frame["std_error"][0])  # stays at fixed shares


def test_beside_strata_whose_shares_are_drawn_the_block_shares_count_as_drawn() -> None:
    lottery, outside = lottery_and_outside(6)
    strata = pe.matching.match(outside, pe.matching.Exact(), covariates=["block"])
    matched = pe.matching.att(outside, strata, "income")
    errors = []
    for shares in ("fixed", "superpopulation"):
        design = pe.lottery.Design(block_weights="treated", shares=shares)
        made = pe.compare.agreement(pe.lottery.late(lottery, "income", design), [matched])
        errors.append(float(made.frame["diff_std_error"][1]))
    np.testing.assert_allclose(errors[0], errors[1], rtol=1e-12)


def test_with_one_block_there_is_nothing_to_draw() -> None:
    _, made = difference(1, "fixed")
    assert made.joint.note == ""


def test_a_contrast_of_clustered_rows_keeps_the_clusters() -> None:
    frame = cross_section(10).assign(village=lambda f: f["g"].astype(str) + f["id"].str[-1])
    roles = pe.Roles(unit="id", offer="trained", clusters="village")
    itt = pe.lottery.itt(pe.read_panel(frame, roles), "income")
    from dataclasses import replace

    g, cr2 = (replace(itt, defaults=(pe.Clustered("village", c),)) for c in ("G", "CR2"))
    half = pe.contrast(pe.join(g, cr2), [0.5, 0.5])
    clustered = pe.infer(itt, pe.Clustered("village")).frame["std_error"][0]
    np.testing.assert_allclose(half.findings().frame["std_error"][0], clustered, rtol=1e-12)
    mixed = pe.contrast(pe.join(g, itt), [0.5, 0.5]).findings().frame.iloc[0]
    assert np.isnan(mixed["std_error"])
    assert "name an inference" in mixed["status"]


def test_a_bootstrap_that_is_every_rows_default_is_drawn() -> None:
    from dataclasses import replace

    frame = cross_section(11).assign(village=lambda f: f["id"].str[-1])
    roles = pe.Roles(unit="id", offer="trained", clusters="village")
    itt = pe.lottery.itt(pe.read_panel(frame, roles), "income")
    spec = pe.MultiplierBootstrap(reps=499, weights="webb", by="village")
    by_default = replace(itt, defaults=(spec,)).findings().frame
    pd.testing.assert_frame_equal(by_default, pe.infer(itt, spec).frame)
    assert np.isfinite(by_default["band_low"][0])
