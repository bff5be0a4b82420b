"""What does receiving do, to whom, and when?"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.limits import between, whole
from prakerja_eval.synthetic.people import Persons
from prakerja_eval.typing import CodeArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Effects:
    """What receiving does.

    Attributes
    ----------
    work : float
        Rise of the probit index of having work, at its full size, of the people whom a phone
        survey can reach.
    other : float
        The same, as a part of ``work``, for the others.
    lock_in : float
        Rise of the index (a fall, where negative) while in training.
    training : int
        Months in training, from the month of receipt.
    ramp : int
        Months from the end of training to the full effect.
    pay : float
        Rise of log pay, at its full size, of those who would have work anyway.
    spread : float
        Standard deviation of the effect over people, as a part of its mean.
    women, urban, senior : float
        Effect on women, in cities, and on those with senior secondary school, as a multiple of
        that on the others.
    by_batch : float
        Growth of the effect from one batch to the next, as a part of it; falling where negative.
    by_month : float
        Growth of the effect in each month after its ramp, as a part of it; falling where negative,
        to zero at most.
    self_employed, owner : float
        Share of those who have work because of the programme who are self-employed, and of these
        who own a business with workers.
    certificate : float
        Rise of the chance to have used a certificate in looking for work.
    account : float
        Rise of the chance to have a bank account or e-wallet, which the incentive is paid into.
    changers : float
        Rise of the chance that those with work anyway have changed their job.
    anticipation : float
        Rise of the index in the months ``anticipated`` before receipt.
    anticipated : int
    displacement : float
        Fall of the index of everybody, for a share of 1 of the district's applicants having
        received.
    """

    work: float = 0.0
    other: float = 1.0
    lock_in: float = 0.0
    training: int = 2
    ramp: int = 4
    pay: float = 0.0
    spread: float = 0.3
    women: float = 1.0
    urban: float = 1.0
    senior: float = 1.0
    by_batch: float = 0.0
    by_month: float = 0.0
    self_employed: float = 0.6
    owner: float = 0.32
    certificate: float = 0.0
    account: float = 0.0
    changers: float = 0.0
    anticipation: float = 0.0
    anticipated: int = 0
    displacement: float = 0.0

    def __post_init__(self) -> None:
        for key in ("work", "lock_in", "pay", "anticipation", "displacement"):
            between(f"effects.{key}", getattr(self, key), -3, 3)
        for key in ("other", "women", "urban", "senior"):
            between(f"effects.{key}", getattr(self, key), -5, 5)
        for key in ("by_batch", "by_month"):
            between(f"effects.{key}", getattr(self, key), -1, 2)
        for key in ("self_employed", "owner", "certificate", "account", "changers"):
            between(f"effects.{key}", getattr(self, key), 0, 1)
        between("effects.spread", self.spread, 0, 3)
        for key in ("training", "anticipated"):
            whole(f"effects.{key}", getattr(self, key), 0, 12)
        whole("effects.ramp", self.ramp, 1, 36)

    def profile(self, since: IntArray) -> FloatArray:
        """Return the effect on the index in multiples of its full size, by months since receipt."""
        after = since - self.training
        grown = np.clip((after + 1) / self.ramp, 0.0, 1.0)
        later = np.maximum(after + 1 - self.ramp, 0)
        return np.asarray(grown * np.maximum(1 + self.by_month * later, 0))


def strengths(effects: Effects, persons: Persons, batch: CodeArray, draws: Draws) -> FloatArray:
    """Return each person's effect as a multiple of the average one, (n,)."""
    own = 1 + effects.spread * draws.normal("outcomes.effect")
    for factor, who in (
        (effects.women, persons.female),
        (effects.urban, persons.urban),
        (effects.senior, persons.senior),
        (effects.other, ~persons.reachable),
    ):
        own = own * np.where(who, factor, 1.0)
    return np.asarray(own * np.maximum(1 + effects.by_batch * batch, 0))
