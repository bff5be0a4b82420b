"""What becomes of a place that was won? Revoked, used by its winner or by another, completed, paid.

What the administration records and who truly received are apart: a place can be used in the
winner's name by somebody else.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.synthetic.calendar import YEAR
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.limits import between, whole
from prakerja_eval.synthetic.lottery import NEVER, Assignment
from prakerja_eval.synthetic.normal import normal_cdf, normal_quantile
from prakerja_eval.synthetic.people import Persons
from prakerja_eval.typing import BoolArray, CodeArray, FloatArray, IntArray

NOT_YET = 10_000  # a month that never comes
CHANNELS = ("BNI", "OVO", "GoPay", "LinkAja", "DANA")
DANA_FROM = 9  # October 2020


@dataclass(frozen=True, slots=True)
class TakeUp:
    """What becomes of places.

    Attributes
    ----------
    revoked_2020, revoked_later : float
        Share of places revoked since no course was bought in time, by year of the batch.
    reachable, other : float
        Share of winners (whose place is not revoked) who themselves receive: of those whom a phone
        survey can reach, and of the others. In the rest somebody else uses the winner's name.
    ability : float
        How much likelier (probit index) to receive for a standard deviation of ability.
    always : float
        Share of people who receive whether or not they win, in the month of their batch.
    always_ability : float
        How much likelier (probit index) to be one of them for a standard deviation of ability.
    delay : int
        Months from winning to receiving.
    completion : float
        Share of those who receive who complete a course.
    paid : float
        Share of those who receive who are paid the incentives, all of whom complete a course.
    institutions : int
        Training institutions; the k-th is chosen in proportion to 1 / k.
    incentive, incentives : int
        Rupiah a payment, and how many monthly payments.
    survey_incentive, survey_incentives : int
        Rupiah for an evaluation survey, and how many, two months apart. When they are paid is an
        assumption.
    e_wallet : float
        Share paid into an e-wallet and not a bank account.
    """

    revoked_2020: float = 0.0799
    revoked_later: float = 0.0144
    reachable: float = 0.97
    other: float = 0.97
    ability: float = 0.0
    always: float = 0.0
    always_ability: float = 0.0
    delay: int = 1
    completion: float = 0.96
    paid: float = 0.95
    institutions: int = 180
    incentive: int = 600_000
    incentives: int = 4
    survey_incentive: int = 50_000
    survey_incentives: int = 3
    e_wallet: float = 0.78

    def __post_init__(self) -> None:
        names = ("revoked_2020", "revoked_later", "always", "completion", "e_wallet")
        for key in (*names, "reachable", "other"):
            between(f"take_up.{key}", getattr(self, key), 0, 1)
        for key in ("ability", "always_ability"):
            between(f"take_up.{key}", getattr(self, key), -3, 3)
        whole("take_up.delay", self.delay, 0, 12)
        between("take_up.paid", self.paid, 0, self.completion)
        whole("take_up.institutions", self.institutions, 1, 10_000)
        for key in ("incentive", "survey_incentive"):
            whole(f"take_up.{key}", getattr(self, key), 0, 100_000_000)
        for key in ("incentives", "survey_incentives"):
            whole(f"take_up.{key}", getattr(self, key), 0, 24)

    def revoked(self, month: int) -> float:
        """Return the share of a batch's places that are revoked, by its month."""
        return self.revoked_2020 if month < (2021 - YEAR) * 12 else self.revoked_later


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """When n people receive, in months from January 2020; ``NOT_YET`` for never.

    Attributes
    ----------
    month : (n,) int array
        As it happened.
    if_offered, if_not : (n,) int arrays
        After winning, and after losing, the first application.
    on_record : (n,) int array
        By the administration's records.
    won : (n,) int array
        Month of the batch that was won.
    revoked : (n,) bool array
        Whether the place that was won was revoked.
    completed, paid : (n,) bool arrays
        Whether a course is completed, and the incentives are paid, if the place is used.
    institution, channel : (n,) int arrays
        Chosen, if they receive; ``channel`` is a place in ``CHANNELS``.
    """

    month: IntArray
    if_offered: IntArray
    if_not: IntArray
    on_record: IntArray
    won: IntArray
    revoked: BoolArray
    completed: BoolArray
    paid: BoolArray
    institution: IntArray
    channel: IntArray


def receive(
    options: TakeUp, months: tuple[int, ...], persons: Persons, assignment: Assignment, draws: Draws
) -> Receipt:
    """Return when people receive, as it happened and had the first lottery gone the other way."""
    lapse = draws.uniform("take_up.revoked")
    share = np.where(persons.reachable, options.reachable, options.other)
    genuine = draws.uniform("take_up.genuine") < _tilted(share, options.ability, persons)
    opened = np.append(np.array(months), NOT_YET)  # the last one for batch -1, never
    limit = np.append([options.revoked(m) for m in months], 0.0)

    def month_after(batch: CodeArray) -> IntArray:
        """Return the month of receipt after winning in a batch."""
        lapses = lapse < limit[batch]
        return np.where(
            (batch == NEVER) | lapses | ~genuine, NOT_YET, opened[batch] + options.delay
        )

    everywhere = np.full(len(persons), options.always)
    always = draws.uniform("take_up.always") < _tilted(everywhere, options.always_ability, persons)
    own = opened[assignment.first] + options.delay
    first, later = (month_after(b) for b in (assignment.first, assignment.later))
    if_offered = np.where(always, own, first)
    if_not = np.where(always, own, later)
    revoked = (lapse < limit[assignment.win]) & (assignment.win != NEVER)
    won = opened[assignment.win]
    diligence = draws.uniform("take_up.completed")
    return Receipt(
        month=np.where(assignment.offer, if_offered, if_not),
        if_offered=if_offered,
        if_not=if_not,
        on_record=np.where((won == NOT_YET) | revoked, NOT_YET, won + options.delay),
        won=won,
        revoked=revoked,
        completed=diligence < options.completion,
        paid=diligence < options.paid,
        institution=_institution(options, draws.uniform("take_up.institution")),
        channel=_channel(options, won, draws),
    )


def _tilted(share: FloatArray, slope: float, persons: Persons) -> FloatArray:
    """Return each person's chance, (n,): ``share`` on average, rising with ability by ``slope``."""
    if slope == 0:
        return share
    # scaled so that the mean over ability stays the share that is asked for
    index = normal_quantile(share) * np.sqrt(1 + slope**2)
    return normal_cdf(index + slope * persons.ability)


def cash(options: TakeUp, receipt: Receipt, month: int) -> IntArray:
    """Return the programme's own cash paid to each person in a month, rupiah (n,)."""
    since = month - receipt.month
    paid = receipt.paid & (receipt.month != NOT_YET)
    monthly = (since >= 1) & (since <= options.incentives)
    survey = (since >= 2) & (since % 2 == 0) & (since <= 2 * options.survey_incentives)
    amount = monthly * options.incentive + survey * options.survey_incentive
    return np.where(paid, amount, 0).astype(np.int64)


def _institution(options: TakeUp, u: FloatArray) -> IntArray:
    """Return the training institution chosen, 1, 2, ...; the k-th in proportion to 1 / k."""
    pull = 1 / np.arange(1, options.institutions + 1)
    edges = np.cumsum(pull / pull.sum())[:-1]
    return np.asarray(1 + np.searchsorted(edges, u, side="right"), dtype=np.int64)


def _channel(options: TakeUp, won: IntArray, draws: Draws) -> IntArray:
    """Return the payment channel; e-wallets equally likely (their split is not published)."""
    wallets = np.where(won >= DANA_FROM, 4, 3)
    which = np.floor(draws.uniform("take_up.wallet") * wallets).astype(np.int64)
    return np.where(draws.uniform("take_up.channel") < options.e_wallet, 1 + which, 0)
