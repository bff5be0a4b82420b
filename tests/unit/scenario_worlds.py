"""What is true in a small world? Potential outcomes, read off the engine person by person."""

from functools import cache

import numpy as np

import prakerja_eval as pe
from prakerja_eval.synthetic.draws import CHUNK, Draws
from prakerja_eval.synthetic.outcomes import never
from prakerja_eval.synthetic.process import lives, state_at


@cache
def world(name, n=3_000, seed=1):
    """Return a world of one chunk of people; nothing in it depends on what others receive."""
    assert n <= CHUNK
    return pe.simulate(name, n_applicants=n, seed=seed)


@cache
def people(name, n=3_000, seed=1):
    """Return what fixes everything that can happen to the people of a world."""
    made = world(name, n, seed)
    return lives(made.process, made.assignment, Draws(seed, 0, n))


class Potential:
    """The potential outcomes of a world in a wave."""

    def __init__(self, name, outcome, wave, n=3_000, seed=1):
        found, made = people(name, n, seed), world(name, n, seed)
        t = made.scenario.survey.waves.index(wave)
        month = made.scenario.survey.months[t]

        def at(receipt):
            return np.asarray(getattr(state_at(made.process, found, t, receipt), outcome), float)

        taken = found.receipt
        self.offer = found.assignment.offer
        self.won, self.lost = at(taken.if_offered), at(taken.if_not)
        self.seen, self.never = at(taken.month), at(never(n))
        self.got_won, self.got_lost = taken.if_offered <= month, taken.if_not <= month
        self.got = taken.month <= month
        self.month = taken.month
        self.itt = (self.won - self.lost).mean()
        moved = self.got_won.astype(float) - self.got_lost
        self.late = (self.won - self.lost).sum() / moved.sum()
        self.att = (self.seen - self.never)[self.got].mean()

    def naive(self):
        """Return those who have received less the others, and its standard error."""
        a, b = self.seen[self.got], self.seen[~self.got]
        return a.mean() - b.mean(), np.sqrt(a.var() / len(a) + b.var() / len(b))


def rows(estimate, inference=None):
    """Return the findings of an estimate."""
    return pe.infer(estimate, inference).frame


def far(estimate, truth, se):
    """Return how many standard errors an estimate is away."""
    return (estimate - truth) / se
