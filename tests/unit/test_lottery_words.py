"""What the lottery wing says beside the number: odds, first stages, and the compliers' mean."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError


def lottery(take_up: float, n: int = 400) -> pd.DataFrame:
    """Half win; a share of the winners, and nobody else, takes part; the effect is 10 on them."""
    won = np.repeat([1, 0], n // 2)
    rank = np.tile(np.arange(n // 2), 2) / (n // 2)
    would = rank < take_up  # compliers, alike in both arms
    noise = 5.0 * np.sin(np.arange(n))
    return pd.DataFrame(
        {
            "id": [f"SYN-{i:06d}" for i in range(n)],
            "won": won,
            "trained": (won == 1) & would,
            "income": 100.0 + 30.0 * would + 10.0 * ((won == 1) & would) + noise,
            "odds": 0.5,
        }
    ).astype({"trained": int})


ROLES = pe.Roles(unit="id", offer="won", received="trained")


def test_the_comparison_mean_of_a_late_is_that_of_untreated_compliers() -> None:
    """By hand: winners who stay out show never-takers; taking them out of the losers leaves it."""
    frame = lottery(0.5)
    found = pe.lottery.late(pe.read_panel(frame, ROLES), "income")
    losers = frame.loc[frame["won"] == 0, "income"].mean()
    never = frame.loc[(frame["won"] == 1) & (frame["trained"] == 0), "income"].mean()
    np.testing.assert_allclose(
        found.counts["comparison_mean"][0], (losers - 0.5 * never) / 0.5, rtol=1e-12
    )


def test_with_full_take_up_it_is_the_mean_of_the_losers() -> None:
    frame = lottery(1.0)
    found = pe.lottery.late(pe.read_panel(frame, ROLES), "income")
    losers = frame.loc[frame["won"] == 0, "income"].mean()
    np.testing.assert_allclose(found.counts["comparison_mean"][0], losers, rtol=1e-12)
    assert found.counts["status"][0] == "ok"


def test_a_weak_first_stage_is_said_beside_the_number() -> None:
    """F by hand: the difference of two shares over Neyman's variance."""
    frame = lottery(0.02)
    frame.loc[frame["won"] == 0, "trained"] = (np.arange(200) < 2).astype(int)
    found = pe.lottery.late(pe.read_panel(frame, ROLES), "income")
    rates = frame.groupby("won")["trained"].mean()
    spread = frame.groupby("won")["trained"].var() / 200
    strength = (rates[1] - rates[0]) ** 2 / spread.sum()
    assert strength < 10
    row = found.findings().frame.iloc[0]
    assert f"F = {strength:.1f}" in row["status"]
    assert np.isfinite(row["std_error"])


def test_the_strength_is_judged_by_the_inference_in_force() -> None:
    """Ten villages share one take-up each: strong by person, weak by village."""
    frame = lottery(0.5).assign(village=np.tile(np.arange(10), 40))
    takers = {0: 0.9, 5: 0.9}
    share = frame["village"].map(takers).fillna(0.02).to_numpy()
    frame["trained"] = ((frame["won"] == 1) & (np.arange(400) % 50 / 50 < share)).astype(int)
    roles = pe.Roles(unit="id", offer="won", received="trained", clusters="village")
    found = pe.lottery.late(pe.read_panel(frame, roles), "income")
    assert found.findings().frame["status"][0] == "ok"
    assert "weak first stage" in pe.infer(found, pe.Clustered("village")).frame["status"][0]


def test_a_strong_first_stage_needs_no_word() -> None:
    found = pe.lottery.late(pe.read_panel(lottery(0.5), ROLES), "income")
    assert found.findings().frame["status"][0] == "ok"


def test_stated_odds_that_differ_within_a_block_are_refused() -> None:
    frame = lottery(0.5)
    frame.loc[::2, "odds"] = 0.2
    roles = pe.Roles(unit="id", offer="won", probability="odds")
    with pytest.raises(NotEstimableError, match="finer blocks"):
        pe.lottery.itt(pe.read_panel(frame, roles), "income")
    by_odds = pe.Roles(unit="id", offer="won", probability="odds", blocks="odds")
    assert np.isfinite(pe.lottery.itt(pe.read_panel(frame, by_odds), "income").theta[0])


def test_pooled_rows_with_a_lone_winner_have_no_standard_error() -> None:
    """Its residual is zero in every draw, so clustered scores would miss its variance."""
    rng = np.random.Generator(np.random.PCG64(1))
    rows = [
        (f"SYN-{6 * b + i:06d}", wave, b, int(i == 0), rng.normal())
        for b in range(5)
        for i in range(6)
        for wave in (1, 2)
    ]
    frame = pd.DataFrame(rows, columns=["id", "wave", "block", "won", "income"])
    panel = pe.read_panel(frame, pe.Roles(unit="id", wave="wave", offer="won", blocks="block"))
    for spec in (None, pe.Clustered("unit", "none"), pe.MultiplierBootstrap(reps=99)):
        row = pe.infer(pe.lottery.itt(panel, "income", pooled=True), spec).frame.iloc[0]
        assert np.isnan(row["std_error"])
        assert "one unit" in row["status"]
