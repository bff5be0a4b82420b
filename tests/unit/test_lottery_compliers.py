"""What compliers are like: against worlds in which everybody's type is known, and against loops."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import contrast, infer, subset
from prakerja_eval.lottery import Design
from prakerja_eval.lottery.compliers import complier_table, compliers

ROLES = {"unit": "id", "offer": "won", "received": "trained", "blocks": "block"}


def read(frame, **roles):
    frame = frame.assign(id=[f"SYN-{i:06d}" for i in range(len(frame))])
    return pe.read_panel(frame, pe.Roles(**(ROLES | roles)))


def value(found, population, outcome=None, estimand="mean"):
    labels = {"population": population, "estimand": estimand}
    row = subset(found, **labels | ({} if outcome is None else {"outcome": outcome}))
    assert len(row) == 1
    return float(row.theta[0])


def known_world():
    """Everybody stands in both arms as often as the block's odds say, so that nothing is chance.

    Odds of 1/4, 1/2 and 3/5; the mix of types and their ages differ by block.
    """
    rng = np.random.default_rng(5)
    rows = []
    for block, (win, lose, people) in enumerate([(1, 3, 20), (1, 1, 45), (3, 2, 30)]):
        for _ in range(people):
            kind = rng.choice(
                ["complier", "always", "never"], p=[0.5, 0.2 + 0.1 * block, 0.3 - 0.1 * block]
            )
            age = {"complier": 30, "always": 22, "never": 50}[kind] + rng.integers(0, 9) + block
            for won in [1] * win + [0] * lose:
                trained = {"complier": won, "always": 1, "never": 0}[kind]
                rows.append((block, won, trained, kind, age))
    return pd.DataFrame(rows, columns=["block", "won", "trained", "kind", "age"])


def test_the_types_that_nobody_sees_are_found_where_chance_is_ruled_out():
    frame = known_world()
    found = compliers(read(frame.drop(columns="kind")), "age")
    for kind, name in (
        ("complier", "compliers"),
        ("always", "always-takers"),
        ("never", "never-takers"),
    ):
        mine = frame[frame.kind == kind]
        np.testing.assert_allclose(value(found, name, "age"), mine.age.mean(), rtol=1e-12)
        np.testing.assert_allclose(
            value(found, name, estimand="share"), len(mine) / len(frame), rtol=1e-12
        )
    np.testing.assert_allclose(
        value(found, "everyone in the lottery", "age"), frame.age.mean(), rtol=1e-12
    )


def drawn_world(seed=1, n=400):
    """A lottery with chance in it: three blocks, odds from .2 to .6."""
    rng = np.random.default_rng(seed)
    block = rng.integers(0, 3, n)
    kind = rng.choice(3, n, p=[0.6, 0.15, 0.25])
    won = rng.binomial(1, np.array([0.2, 0.4, 0.6])[block])
    return pd.DataFrame(
        {
            "block": block,
            "won": won,
            "trained": np.where(kind == 0, won, kind == 1).astype(int),
            "age": 30 + 5 * (kind == 1) - 4 * (kind == 2) + rng.integers(-8, 9, n),
            "weight": rng.integers(1, 4, n),
        }
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_kappa_in_fractions_and_a_loop_gives_the_same(weighted):
    frame = drawn_world()
    found = compliers(read(frame, weight="weight" if weighted else None), "age")
    mass, shares = Fraction(0), Fraction(0)
    for row in frame.itertuples():
        w = row.weight if weighted else 1
        block = frame[frame.block == row.block]
        weights = block.weight if weighted else pd.Series(1, index=block.index)
        p = Fraction(int(weights[block.won == 1].sum()), int(weights.sum()))
        kappa = 1 - row.trained * (1 - row.won) / (1 - p) - (1 - row.trained) * row.won / p
        mass += w * kappa
        shares += w * kappa * row.age
    people = int(frame.weight.sum()) if weighted else len(frame)
    np.testing.assert_allclose(value(found, "compliers", "age"), float(shares / mass), rtol=1e-12)
    np.testing.assert_allclose(
        value(found, "compliers", estimand="share"), float(mass / people), rtol=1e-12
    )


def test_the_share_of_compliers_is_the_effect_of_the_offer_on_receipt():
    panel = read(drawn_world())
    first = pe.lottery.itt(panel, "trained", Design(shares="superpopulation"))
    share = subset(compliers(panel, "age"), estimand="share", population="compliers")
    np.testing.assert_allclose(share.theta, first.theta, rtol=1e-12)
    np.testing.assert_allclose(share.psi, first.psi, atol=1e-15)


def test_the_three_types_add_up_to_everyone_with_no_error_left():
    found = compliers(read(drawn_world()), "age")
    kinds = ["compliers", "always-takers", "never-takers"]
    shares = [subset(found, estimand="share", population=k) for k in kinds]
    means = [subset(found, estimand="mean", population=k) for k in kinds]
    everyone = subset(found, population="everyone in the lottery")
    total = sum(s.theta[0] * m.theta[0] for s, m in zip(shares, means, strict=True))
    moved = sum(
        s.psi[:, 0] * m.theta[0] + s.theta[0] * m.psi[:, 0]
        for s, m in zip(shares, means, strict=True)
    )
    np.testing.assert_allclose(total, everyone.theta[0], rtol=1e-12)
    np.testing.assert_allclose(moved, everyone.psi[:, 0], atol=1e-14)


def test_stated_odds_that_differ_from_person_to_person_weigh_each_by_the_own():
    rng = np.random.default_rng(3)
    frame = drawn_world().assign(odds=np.round(rng.uniform(0.2, 0.8, 400), 3)).drop(columns="block")
    panel = read(frame, blocks=(), probability="odds")
    found = compliers(panel, "age", Design(method="ipw"))
    kappa = (
        1
        - frame.trained * (1 - frame.won) / (1 - frame.odds)
        - (1 - frame.trained) * frame.won / frame.odds
    )
    np.testing.assert_allclose(
        value(found, "compliers", "age"), np.average(frame.age, weights=kappa), rtol=1e-12
    )
    assert set(found.index["specification"]) == {"stated odds"}
    # known odds have no influence: the residual is the whole of it
    row = subset(found, population="compliers", estimand="mean")
    by_hand = kappa * (frame.age - row.theta[0]) / kappa.sum()
    np.testing.assert_allclose(row.psi[:, 0], by_hand, atol=1e-15)


def test_intervals_cover_what_the_types_are_where_the_lottery_is_drawn_again():
    """400 lotteries among people drawn afresh: 95 % within 3 Monte Carlo standard errors."""
    from prakerja_eval.numerics.kappa import COMPLIERS, type_means

    rng = np.random.default_rng(11)
    n, draws, hits, spread, estimates = 600, 400, 0, [], []
    for _ in range(draws):
        block = rng.integers(0, 3, n)
        kind = rng.choice(3, n, p=[0.6, 0.15, 0.25])
        x = (30 + 5 * (kind == 1) - 4 * (kind == 2) + 6 * rng.normal(size=n))[:, None]
        won = rng.binomial(1, np.array([0.2, 0.4, 0.6])[block]).astype(float)
        trained = np.where(kind == 0, won, kind == 1).astype(float)
        odds = (np.bincount(block, won) / np.bincount(block))[block]
        found = type_means(x, trained, won, odds, np.ones(n), block)
        error = np.sqrt(np.sum(found.psi_mean[:, COMPLIERS, 0] ** 2))
        estimates.append(found.mean[COMPLIERS, 0])
        spread.append(error)
        hits += abs(estimates[-1] - 30) <= 1.96 * error
    assert abs(hits / draws - 0.95) < 3 * np.sqrt(0.95 * 0.05 / draws)
    # the Monte Carlo standard deviation of 400 draws is itself known to 3.5 %
    assert abs(np.mean(spread) / np.std(estimates) - 1) < 0.11


def test_where_no_loser_got_in_there_are_no_always_takers_and_their_share_says_so():
    frame = drawn_world().assign(trained=lambda f: f.trained * f.won)
    found = compliers(read(frame), "age")
    assert "always-takers" not in set(found.index.population[found.index.estimand == "mean"])
    row = subset(found, estimand="share", population="always-takers").findings().frame.iloc[0]
    assert row["estimate"] == 0
    assert "no loser received" in row["status"]
    assert np.isnan(complier_table(found)["always_takers"]).all()


def test_full_compliance_makes_everyone_a_complier():
    frame = drawn_world().assign(trained=lambda f: f.won)
    found = compliers(read(frame), "age")
    np.testing.assert_allclose(value(found, "compliers", "age"), frame.age.mean(), rtol=1e-12)
    assert value(found, "compliers", estimand="share") == 1


def test_the_table_gives_each_mean_and_the_standard_error_of_the_difference():
    found = compliers(read(drawn_world()), ("age", "weight"))
    table = complier_table(found)
    assert list(table["covariate"]) == ["age", "weight"]
    rows = subset(found, estimand="mean", outcome="age")
    order = [list(rows.index.population).index(p) for p in ("compliers", "everyone in the lottery")]
    weights = np.zeros(len(rows))
    weights[order] = 1.0, -1.0
    apart = infer(contrast(rows, weights)).frame.iloc[0]
    first = table.iloc[0]
    assert first["ratio"] == first["compliers"] / first["everyone"]
    for column, name in (
        ("difference", "estimate"),
        ("std_error", "std_error"),
        ("p_value", "p_value"),
    ):
        np.testing.assert_allclose(first[column], apart[name], rtol=1e-12)
    assert first["std_error"] > 0


def waves():
    first = drawn_world().assign(wave=1)
    second = first.assign(wave=2, trained=lambda f: np.maximum(f.trained, f.won))
    ids = [f"SYN-{i:06d}" for i in range(len(first))]
    frame = pd.concat([first.assign(id=ids), second.assign(id=ids)])
    return frame, ROLES | {"wave": "wave"}


def test_receipt_counts_by_the_last_wave_unless_others_are_named():
    frame, roles = waves()
    panel = pe.read_panel(frame, pe.Roles(**roles))
    last = compliers(panel, "age")
    assert set(last.index["wave"]) == {2}
    assert "never-takers" not in set(last.index.population[last.index.estimand == "mean"])
    both = compliers(panel, "age", waves=[1, 2])
    assert set(both.index["wave"]) == {1, 2}
    assert list(complier_table(both)["wave"]) == [1, 2]
    alone = read(frame[frame.wave == 1].drop(columns=["wave", "id"]))
    np.testing.assert_allclose(
        subset(both, wave=1).theta, compliers(alone, "age").theta, rtol=1e-12
    )


def test_people_whose_receipt_is_not_known_are_not_left_out_in_silence():
    frame, roles = waves()
    gone = (frame.wave == 2) & (frame.trained == 0)
    panel = pe.read_panel(frame[~gone], pe.Roles(**roles))
    with pytest.raises(NotEstimableError, match=f"not known of {gone.sum()} people.*by wave 2"):
        compliers(panel, "age")
    assert len(compliers(panel, "age", waves=[1]))


def test_an_offer_that_keeps_people_away_describes_nobody():
    frame = drawn_world().assign(trained=lambda f: 1 - f.won)
    with pytest.raises(NotEstimableError, match="no compliers to describe"):
        compliers(read(frame), "age")


def test_calls_that_ask_for_something_else_are_refused():
    panel = read(drawn_world())
    with pytest.raises(UsageError, match="population"):
        compliers(panel, "age", Design(block_weights="treated"))
    with pytest.raises(UsageError, match="names no column"):
        compliers(panel, ())
    with pytest.raises(UsageError, match=r"lottery\.compliers returns"):
        complier_table(pe.lottery.itt(panel, "age"))


def test_a_lottery_of_villages_is_judged_by_villages():
    frame = drawn_world().assign(village=lambda f: [f"v{i % 40}" for i in range(len(f))])
    frame["block"] = 0
    frame["won"] = frame.village.map({f"v{i}": int(i < 16) for i in range(40)})
    panel = read(frame, clusters="village")
    found = compliers(panel, "age", Design(clusters="village"))
    assert found.findings().frame["inference"].str.contains("village").all()
