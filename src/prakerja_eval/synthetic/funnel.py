"""How many registered for each applicant who could enter a lottery?"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.synthetic.draws import stream
from prakerja_eval.synthetic.limits import above, one_of

STAGES = ("registered", "e_mail_verified", "identity_verified", "eligible")


@dataclass(frozen=True, slots=True)
class Funnel:
    """Shares that pass from one stage to the next: batch 1's, published.

    Attributes
    ----------
    on : bool
        Without it, everybody who registers is eligible.
    e_mail, identity, eligible : float
        Share whose e-mail is verified, of these whose NIK is, and of these who are eligible.
    """

    on: bool = True
    e_mail: float = 0.742
    identity: float = 0.744
    eligible: float = 0.631

    def __post_init__(self) -> None:
        one_of("funnel.on", self.on, (True, False))
        for key in ("e_mail", "identity", "eligible"):
            above(f"funnel.{key}", getattr(self, key), 0, 1)


def stages(options: Funnel, eligible: int, seed: int) -> dict[str, int]:
    """Return how many people stood at each stage, given how many were eligible.

    Those who fell out are counted and not simulated: for each who passes, the failures before are
    geometric, so their number is negative binomial.
    """
    counts = {"eligible": eligible}
    rng = stream(seed, "funnel")
    left = eligible
    for stage, share in (
        ("identity_verified", options.eligible),
        ("e_mail_verified", options.identity),
        ("registered", options.e_mail),
    ):
        failed = rng.negative_binomial(left, share) if options.on and share < 1 and left else 0
        left = left + int(failed)
        counts[stage] = left
    return {stage: counts[stage] for stage in STAGES}


def shares(counts: dict[str, int]) -> dict[str, float]:
    """Return the share that passed to each stage but the first."""
    values = np.array([counts[s] for s in STAGES], dtype=np.float64)
    return dict(zip(STAGES[1:], (values[1:] / values[:-1]).tolist(), strict=True))
