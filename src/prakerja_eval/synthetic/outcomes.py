"""What would a person's work and pay be in a month, having received or not?

Everything is a function of the month of receipt, given the same random numbers: so potential
outcomes are this function at the month as it happened, at the one after winning or losing the first
application, and at never.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from prakerja_eval.synthetic.calendar import month_number
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.effects import Effects
from prakerja_eval.synthetic.limits import between, inside
from prakerja_eval.synthetic.people import Persons
from prakerja_eval.synthetic.take_up import NOT_YET
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

# log pay by schooling against SMA: mean wages of August 2021 (PROGRAMME facts, labour_market)
PAY_BY_EDUCATION = np.log(np.array([1.65, 1.95, 2.45, 2.55, 3.15, 4.11]) / 2.45)
PANDEMIC = (("2020-02", 0.35), ("2020-07", -0.168), ("2021-05", 0.1), ("2021-09", 0.197))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Work and pay without the programme.

    Attributes
    ----------
    path : tuple of (month, index)
        Probit index of having work of the average applicant, by month; straight lines between.
    persistence : float
        Share of the index's variance that is the person's own.
    education, urban, female, age : float
        Index by level of schooling, in cities, of women, and for ten years of age (from 29).
    dip : float
        Fall of the index in the month of the first application, halved every ``dip_months``.
    dip_months : float
    trend_motivation : float
        Rise of the index in a year from the first month of the path, for a standard deviation of
        motivation: trends that differ by what is not observed.
    recovery_education : float
        The same for a level of schooling.
    motivation : float
        Index for a standard deviation of motivation.
    district : float
        Standard deviation of the index between districts.
    self_employed : tuple of (month, share)
        Share of workers who are self-employed, by month.
    formal, owner : float
        Shares: of employees who are formal, and of the self-employed who own a business with
        workers.
    changers : float
        Share of those with work before and now who changed their job.
    certificate, account : float
        Shares who used a certificate in looking for work, and who have an account or e-wallet.
    pay : float
        Log of the pay of the average worker, rupiah a month.
    pay_spread : float
        Standard deviation of log pay, given everything observed and ability.
    pay_ability : float
        Log pay for a standard deviation of ability.
    heavy : float
        Share of workers whose pay is multiplied by a Pareto number (index 3).
    pay_path : tuple of (month, log points)
        Change of log pay by month.
    """

    path: tuple[tuple[str, float], ...] = PANDEMIC
    persistence: float = 0.5
    education: float = 0.05
    urban: float = 0.0
    female: float = -0.25
    age: float = 0.1
    dip: float = 0.0
    dip_months: float = 3.0
    trend_motivation: float = 0.0
    recovery_education: float = 0.0
    motivation: float = 0.0
    district: float = 0.0
    self_employed: tuple[tuple[str, float], ...] = (("2020-07", 0.286), ("2021-05", 0.396))
    formal: float = 0.62
    owner: float = 0.128
    changers: float = 0.1
    certificate: float = 0.068
    account: float = 0.75
    pay: float = 14.095
    pay_spread: float = 0.65
    pay_ability: float = 0.2
    heavy: float = 0.01
    pay_path: tuple[tuple[str, float], ...] = (
        ("2020-02", 0.05),
        ("2020-07", -0.1),
        ("2021-09", 0.0),
    )

    def __post_init__(self) -> None:
        for key in ("path", "pay_path", "self_employed"):
            knots(f"outcomes.{key}", getattr(self, key))
        for _, share in self.self_employed:
            between("outcomes.self_employed", share, 0, 1)
        inside("outcomes.persistence", self.persistence, 0, 1)
        for key in ("education", "urban", "female", "age", "trend_motivation", "motivation"):
            between(f"outcomes.{key}", getattr(self, key), -3, 3)
        between("outcomes.recovery_education", self.recovery_education, -3, 3)
        between("outcomes.dip", self.dip, -3, 3)
        inside("outcomes.dip_months", self.dip_months, 0, 100)
        for key in ("district", "pay_spread", "pay_ability"):
            between(f"outcomes.{key}", getattr(self, key), 0, 3)
        for key in ("formal", "owner", "changers", "certificate", "account"):
            between(f"outcomes.{key}", getattr(self, key), 0, 1)
        between("outcomes.heavy", self.heavy, 0, 1)
        between("outcomes.pay", self.pay, 5, 20)


def knots(key: str, path: tuple[tuple[str, float], ...]) -> tuple[FloatArray, FloatArray]:
    """Return the months and values of a path.

    Raises
    ------
    UsageError
        If it is empty or its months do not rise.
    """
    if not path:
        between(f"{key} (number of months)", 0, 1, 600)
    months = np.array([month_number(month, key) for month, _ in path], dtype=np.float64)
    for step in np.diff(months):
        between(f"{key} (months from one to the next)", step, 1, 600)
    for _, value in path:
        between(key, value, -10, 10)
    return months, np.array([value for _, value in path])


def at_month(path: tuple[tuple[str, float], ...], month: int) -> float:
    """Return a path's value in a month: straight lines between its months, constant outside."""
    months, values = knots("path", path)
    return float(np.interp(month, months, values))


class State(NamedTuple):
    """Work and pay of n people in a month: bool and int arrays; pay in rupiah, 0 without work."""

    employed: BoolArray
    self_employed: BoolArray
    formal: BoolArray
    owns_business: BoolArray
    new_job: BoolArray
    certificate: BoolArray
    financial_account: BoolArray
    hours: IntArray
    income: IntArray


ANSWERS = State._fields[:-1]  # what is told as it is; income can be rounded, or not told


@dataclass(frozen=True, slots=True, eq=False)
class Latent:
    """What fixes n people's potential outcomes in a month, whatever the month of receipt.

    Attributes
    ----------
    month : int
    index : (n,) array
        Index of having work without the programme.
    strength : (n,) array
        Each person's effect as a multiple of the average one.
    log_pay, hours : (n,) arrays
    chance : dict of (n,) arrays
        Uniform numbers by name.
    """

    month: int
    index: FloatArray
    strength: FloatArray
    log_pay: FloatArray
    hours: FloatArray
    chance: dict[str, FloatArray]


FIXED = ("self", "self_new", "formal", "owner", "owner_new", "certificate", "account", "change")


def latents(
    options: Outcomes,
    persons: Persons,
    months: Sequence[int],
    applied: IntArray,
    strength: FloatArray,
    relative_pay: FloatArray,
    draws: Draws,
) -> list[Latent]:
    """Return what fixes the potential outcomes of each month.

    Parameters
    ----------
    options : Outcomes
    persons : Persons
    months : sequence of int
        From January 2020.
    applied : (n,) int array
        Month of the first application.
    strength : (n,) array
        What ``effects.strengths`` returns.
    relative_pay : (n,) array
        Minimum wage of the person's province over the mean.
    draws : Draws
    """
    index = _own_index(options, persons, draws)
    log_pay = _own_log_pay(options, persons, relative_pay, draws)
    chance = {name: draws.uniform(f"outcomes.{name}") for name in FIXED}
    spread = options.pay_spread * np.sqrt(0.3)
    return [
        Latent(
            month=month,
            index=index + _index_in(options, persons, month, applied, draws),
            strength=strength,
            log_pay=log_pay
            + at_month(options.pay_path, month)
            + spread * draws.normal(f"outcomes.pay.{month}"),
            hours=np.clip(np.rint(39 + 11 * draws.normal(f"outcomes.hours.{month}")), 1, 98),
            chance=chance,
        )
        for month in months
    ]


def _own_index(options: Outcomes, persons: Persons, draws: Draws) -> FloatArray:
    """Return the part of the index of having work that is the person's own, (n,)."""
    index = options.education * (persons.education - 2.7)
    index = index + options.urban * (persons.urban - 0.76)
    index = index + options.female * (persons.female - 0.45)
    index = index + options.age * (persons.age - 29) / 10
    index = index + options.motivation * persons.motivation
    index = index + np.sqrt(options.persistence) * persons.ability
    if options.district:
        index = index + options.district * draws.district("outcomes.district")[persons.district]
    return np.asarray(index)


def _index_in(
    options: Outcomes, persons: Persons, month: int, applied: IntArray, draws: Draws
) -> FloatArray:
    """Return the part of the index that passes: of a month, and of the time since applying."""
    index = at_month(options.path, month) + np.sqrt(1 - options.persistence) * draws.normal(
        f"outcomes.work.{month}"
    )
    years = (month - month_number(options.path[0][0])) / 12
    if options.trend_motivation:
        index = index + options.trend_motivation * years * persons.motivation
    if options.recovery_education:
        index = index + options.recovery_education * years * (persons.education - 2.7)
    if options.dip:
        since = month - applied
        fading = 0.5 ** (np.maximum(since, 0) / options.dip_months)
        index = index - options.dip * np.where(since >= 0, fading, 0.0)
    return np.asarray(index)


def _own_log_pay(
    options: Outcomes, persons: Persons, relative_pay: FloatArray, draws: Draws
) -> FloatArray:
    """Return the part of log pay that is the person's own, (n,): most of its spread."""
    tail = draws.uniform("outcomes.heavy")
    heavy = np.where(tail < options.heavy, tail / max(options.heavy, 1e-12), 1.0)
    out = PAY_BY_EDUCATION[persons.education] + options.pay
    out = out + 0.1 * (persons.urban - 0.76) - 0.28 * (persons.female - 0.45)
    out = out + 0.5 * np.log(relative_pay) + options.pay_ability * persons.ability
    out = out + options.pay_spread * np.sqrt(0.7) * draws.normal("outcomes.pay")
    return np.asarray(out - np.log(np.maximum(heavy, 1e-6)) / 3)


def realise(
    options: Outcomes,
    effects: Effects,
    found: Latent,
    receipt: IntArray,
    before: BoolArray,
    saturation: FloatArray | float = 0.0,
) -> State:
    """Return work and pay in a month given months of receipt.

    Parameters
    ----------
    options : Outcomes
    effects : Effects
    found : Latent
    receipt : (n,) int array
        Month of receipt; ``NOT_YET`` for never.
    before : (n,) bool array
        Who had work at the baseline.
    saturation : (n,) array
        Share of the district's applicants who have received by this month.
    """
    u = found.chance
    since = found.month - receipt
    has, ahead = since >= 0, (since < 0) & (since >= -effects.anticipated)
    training = has & (since < effects.training)
    full = np.where(has, effects.profile(since), 0.0) * found.strength
    shift = effects.work * full + effects.lock_in * training + effects.anticipation * ahead
    base = found.index - effects.displacement * saturation
    anyway = base > 0
    employed = base + shift > 0
    entrant = employed & ~anyway
    own = np.where(
        entrant,
        u["self_new"] < effects.self_employed,
        u["self"] < at_month(options.self_employed, found.month),
    )
    boss = np.where(entrant, u["owner_new"] < effects.owner, u["owner"] < options.owner)
    self_employed = employed & own
    changed = u["change"] < options.changers + effects.changers * np.clip(full, 0, None)
    log_pay = found.log_pay + np.where(entrant, 0.0, effects.pay * full)
    finished = has & ~training
    return State(
        employed=employed,
        self_employed=self_employed,
        formal=employed & ~own & (u["formal"] < options.formal),
        owns_business=self_employed & boss,
        new_job=employed & (~before | changed),
        certificate=u["certificate"] < options.certificate + effects.certificate * finished,
        financial_account=u["account"] < options.account + effects.account * has,
        hours=np.where(employed, found.hours, 0).astype(np.int64),
        income=np.where(employed, np.rint(np.exp(log_pay)), 0).astype(np.int64),
    )


def never(n: int) -> IntArray:
    """Return the months of receipt of n people who never receive."""
    return np.full(n, NOT_YET)
