"""Is the lottery drawn again as it was drawn: its blocks, its quotas, every way equally likely?"""

from collections import Counter
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from scipy import stats

from prakerja_eval.lottery import kernel_redraw
from prakerja_eval.lottery.kernel_redraw import Lottery, every_draw, random_draws

SIZES, QUOTAS = (5, 4, 3, 1), (2, 3, 1, 0)


def lottery(sizes=SIZES, quotas=QUOTAS):
    won = np.concatenate([np.arange(n) < m for n, m in zip(sizes, quotas, strict=True)])
    return Lottery(np.cumsum([0, *sizes]), won)


def state(n_blocks, seed=7):
    words = np.random.SeedSequence(seed).generate_state(4 * n_blocks, np.uint64)
    return words.astype(np.uint64).reshape(n_blocks, 4)


def random_winners(reps, made=None, seed=7):
    made = made or lottery()
    return np.concatenate(list(random_draws(made, reps, state(len(made.size), seed)).winners()))


# --- the generator --------------------------------------------------------------------------------


def xoshiro(words):
    """Give the words of xoshiro256++, in whole numbers of Python."""
    s, mask = [int(w) for w in words], 2**64 - 1

    def turned(x, k):
        return ((x << k) | (x >> (64 - k))) & mask

    while True:
        yield (turned((s[0] + s[3]) & mask, 23) + s[0]) & mask
        t = (s[1] << 17) & mask
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = turned(s[3], 45)


def test_the_words_are_those_of_the_published_generator():
    # the sequence from the state 1, 2, 3, 4 that implementations check themselves against
    known = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205]
    words = xoshiro([1, 2, 3, 4])
    assert [next(words) for _ in known] == known


def test_winners_are_those_of_a_shuffle_by_that_generator():
    made, reps = lottery((9,), (4,)), 50
    words, order, wanted = xoshiro(state(1)[0]), list(range(9)), []
    for _ in range(reps):
        for place in range(4):
            left = 9 - place
            while True:
                high, low = divmod((next(words) >> 32) * left, 2**32)
                if low >= 2**32 % left:  # Lemire: what is below would be drawn once too often
                    break
            order[place], order[place + high] = order[place + high], order[place]
        wanted.append(sorted(order[:4]))
    drawn = random_winners(reps, made)
    assert [list(np.flatnonzero(row)) for row in drawn] == wanted


# --- what is drawn --------------------------------------------------------------------------------


def test_every_draw_keeps_every_quota():
    made = lottery()
    for drawn in (random_winners(300), np.concatenate(list(every_draw(made).winners()))):
        by_block = np.add.reduceat(drawn.astype(int), made.starts[:-1], axis=1)
        assert (by_block == QUOTAS).all()


def test_each_subset_is_drawn_equally_often_and_blocks_are_independent():
    reps = 40_000
    drawn = random_winners(reps)
    counts = Counter(map(bytes, drawn))
    ways = comb(5, 2) * comb(4, 3) * comb(3, 1)
    assert len(counts) == ways
    # fixed seed: the chance of a false alarm was 1 in 1,000 once
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_each_unit_wins_by_the_odds_of_its_block_not_at_even_odds():
    made = lottery((40, 10), (4, 8))
    share = random_winners(20_000, made).mean(axis=0)
    odds = np.repeat([0.1, 0.8], [40, 10])
    error = np.sqrt(odds * (1 - odds) / 20_000)
    assert (np.abs(share - odds) < 4.5 * error).all()


def test_enumeration_takes_each_assignment_once():
    made = lottery()
    drawn = {tuple(np.flatnonzero(row)) for row in np.concatenate(list(every_draw(made).winners()))}
    blocks = [
        combinations(range(start, start + n), m)
        for start, n, m in zip(made.starts, SIZES, QUOTAS, strict=False)
    ]
    wanted = {sum(choice, ()) for choice in product(*blocks)}
    assert drawn == wanted
    assert every_draw(made).reps == made.assignments() == len(wanted) == 120


@pytest.mark.parametrize("random", [True, False])
@pytest.mark.parametrize("q", [1, 4, 6])
def test_sums_are_those_of_the_winners_of_the_same_draws(random, q):
    made = lottery()
    again = random_draws(made, 120, state(4)) if random else every_draw(made)
    x = np.random.default_rng(3).normal(size=(len(made.won), q))
    sums = np.concatenate(list(again.sums(x)))
    marks = np.concatenate(list(again.winners()))
    wanted = np.add.reduceat(marks[:, :, None] * x, made.starts[:-1], axis=1)
    np.testing.assert_allclose(sums, wanted, atol=1e-12)


def test_draws_do_not_depend_on_the_size_of_chunks(monkeypatch):
    made = lottery()
    x = np.random.default_rng(3).normal(size=(len(made.won), 3))
    again = random_draws(made, 500, state(4))
    whole = np.concatenate(list(again.sums(x)))
    monkeypatch.setattr(kernel_redraw, "CHUNK", 1)
    monkeypatch.setattr(kernel_redraw, "DRAWS", 7)
    parts = list(again.sums(x))
    assert len(parts) > 50
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_ways_beyond_counting_are_not_counted():
    assert lottery((40,), (20,)).assignments() == comb(40, 20)
    assert lottery((10**6,), (3 * 10**5,)).assignments() == kernel_redraw.MANY


def test_the_same_seed_draws_the_same_and_another_one_does_not():
    np.testing.assert_array_equal(random_winners(50), random_winners(50))
    assert (random_winners(50) != random_winners(50, seed=8)).any()
