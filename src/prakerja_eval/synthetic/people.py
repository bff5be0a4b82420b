"""Who applies? People with their place, household, schooling and ability, reachable or not.

Whether a person can be reached is drawn first, and everything else given it: so a phone survey's
frame, the people who can be reached, is the same population with that share set to one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.synthetic.draws import CHUNK, Draws
from prakerja_eval.synthetic.limits import between, inside, one_of, whole
from prakerja_eval.synthetic.places import Places, chosen
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

EDUCATION = ("SD", "SMP", "SMA", "SMK", "Diploma", "University")
SCHOOLING = np.array([6, 9, 12, 12, 15, 16])
SENIOR = 2  # from SMA on
AGE_BANDS = ((18, 25), (26, 35), (36, 45), (46, 55), (56, 64))


@dataclass(frozen=True, slots=True)
class People:
    """Who the applicants are.

    Attributes
    ----------
    reachable : float
        Share of all applicants whom a phone survey can reach. An assumption: no response rate of
        the phone surveys is published.
    frame : {"all", "reachable"}
        Whom the panel is about: all applicants, or those who can be reached.
    provinces : tuple of str
        Provinces that take part; left out, all 34.
    oversampling : float
        From 0 to 1: provinces are sampled at a rate proportional to their applicants to the power
        of minus this; weights undo it.
    same_household : float
        Chance that the next applicant belongs to the household of the one before.
    female, urban, disability, return_migrant, priority, smartphone : float
        Shares. ``priority`` is the share of those on the lists of laid-off workers.
    education : tuple of float
        Shares of SD or less, SMP, SMA, SMK, diploma, university.
    ages : tuple of float
        Shares of the ages 18-25, 26-35, 36-45, 46-55 and 56-64.
    reach_urban, reach_education, reach_smartphone : float
        How much likelier (log odds) those who can be reached are to live in a city, for each level
        to have more schooling, and to have a smartphone.
    districts : int
        Districts in the country, shared out by population.
    """

    reachable: float = 0.045
    frame: str = "all"
    provinces: tuple[str, ...] = ()
    oversampling: float = 0.0
    same_household: float = 0.2
    female: float = 0.45
    urban: float = 0.76
    disability: float = 0.05
    return_migrant: float = 0.01
    priority: float = 0.2
    smartphone: float = 0.85
    education: tuple[float, ...] = (0.04, 0.05, 0.48, 0.22, 0.07, 0.14)
    ages: tuple[float, ...] = (0.38, 0.41, 0.13, 0.06, 0.02)
    reach_urban: float = 0.4
    reach_education: float = 0.15
    reach_smartphone: float = 2.0
    districts: int = 514

    def __post_init__(self) -> None:
        one_of("people.frame", self.frame, ("all", "reachable"))
        inside("people.reachable", self.reachable, 0, 1)
        between("people.oversampling", self.oversampling, 0, 1)
        between("people.same_household", self.same_household, 0, 0.8)
        for key in ("female", "urban", "disability", "return_migrant", "priority", "smartphone"):
            between(f"people.{key}", getattr(self, key), 0, 1)
        shares("people.education", self.education, len(EDUCATION))
        shares("people.ages", self.ages, len(AGE_BANDS))
        between("people.reach_urban", self.reach_urban, -3, 3)
        between("people.reach_education", self.reach_education, -3, 3)
        between("people.reach_smartphone", self.reach_smartphone, -3, 3)
        whole("people.districts", self.districts, 1, 4_000)
        chosen(self.provinces)


def shares(key: str, values: Sequence[float], length: int) -> None:
    """Refuse what are no shares that sum to one.

    Raises
    ------
    UsageError
        With the key.
    """
    for value in values:
        between(key, value, 0, 1)
    if len(values) != length or abs(sum(values) - 1) > 1e-9:
        raise UsageError(
            f"{key} has {len(values)} shares that sum to {sum(values):g}; give {length} shares, "
            "each from 0 to 1, that sum to 1."
        )


@dataclass(frozen=True, slots=True, eq=False)
class Persons:
    """The people at places start, ..., start + n - 1: arrays of length n.

    Attributes
    ----------
    start : int
    reachable, urban, female, disability, return_migrant, priority, smartphone : bool arrays
    province, district : int arrays
        Places in ``Places.names``; districts are numbered through the country.
    age, education : int arrays
        Years; place in ``EDUCATION``.
    household : int array
        The place of the household's first member among all applicants.
    ability, motivation : float arrays
        Standard normal; never observed.
    weight : float array
        Sampling weight, 1 on average.
    """

    start: int
    reachable: BoolArray
    province: IntArray
    district: IntArray
    urban: BoolArray
    female: BoolArray
    age: IntArray
    education: IntArray
    disability: BoolArray
    return_migrant: BoolArray
    priority: BoolArray
    smartphone: BoolArray
    household: IntArray
    ability: FloatArray
    motivation: FloatArray
    weight: FloatArray

    def __len__(self) -> int:
        return len(self.reachable)

    @property
    def senior(self) -> BoolArray:
        """Return who finished senior secondary school."""
        return np.asarray(self.education >= SENIOR)


def draw_people(options: People, places: Places, draws: Draws) -> Persons:
    """Return the people of ``draws``."""
    reachable = np.ones(len(draws), dtype=bool)
    if options.frame == "all":
        reachable = draws.uniform("people.reachable") < options.reachable
    distance = reachable - options.reachable  # zero on average over all applicants
    household = _households(options, draws)
    first = household - draws.start
    province = places.draw(draws.uniform("people.province"))[first]
    district = places.district(province, draws.uniform("people.district")[first])
    education = _education(options, distance, draws.uniform("people.education"))
    motivation = draws.normal("people.motivation")
    return Persons(
        start=draws.start,
        reachable=reachable,
        province=province,
        district=district,
        urban=_tilted(options.urban, options.reach_urban * distance, draws.uniform("people.urban"))[
            first
        ],
        female=draws.uniform("people.female") < options.female,
        age=_ages(options, draws),
        education=education,
        disability=draws.uniform("people.disability") < options.disability,
        return_migrant=draws.uniform("people.return_migrant") < options.return_migrant,
        priority=draws.uniform("people.priority") < options.priority,
        smartphone=_tilted(
            options.smartphone,
            options.reach_smartphone * distance,
            draws.uniform("people.smartphone"),
        ),
        household=household,
        ability=draws.normal("people.ability"),
        motivation=motivation,
        weight=places.weight[province],
    )


def _households(options: People, draws: Draws) -> IntArray:
    """Return the place of each person's household's first member; chunks share no household."""
    place = np.arange(draws.start, draws.stop)
    begins = draws.uniform("people.household") >= options.same_household
    begins[place % CHUNK == 0] = True
    return np.maximum.accumulate(np.where(begins, place, draws.start))


def _ages(options: People, draws: Draws) -> IntArray:
    """Return ages: a band, then a year in it."""
    u = draws.uniform("people.age")
    edges = np.concatenate([[0.0], np.cumsum(options.ages)])
    edges[-1] = 1.0
    low = np.array([a for a, _ in AGE_BANDS] + [AGE_BANDS[-1][1] + 1], dtype=np.float64)
    band = np.searchsorted(edges, u, side="right") - 1
    within = (u - edges[band]) / (edges[band + 1] - edges[band])
    return np.asarray(np.floor(low[band] + within * (low[band + 1] - low[band])), dtype=np.int64)


def _education(options: People, distance: FloatArray, u: FloatArray) -> IntArray:
    """Return levels of schooling by an ordered logit shifted for those who can be reached."""
    below = np.cumsum(options.education)[:-1]
    level = np.zeros(len(u), dtype=np.int64)
    for share in below:
        level += ~_tilted(share, -options.reach_education * distance, u)
    return level


def _tilted(share: float, shift: FloatArray, u: FloatArray) -> BoolArray:
    """Return u < share after the log odds of the share are shifted."""
    if share in (0.0, 1.0):
        return np.full(len(u), bool(share))
    odds = share / (1 - share) * np.exp(shift)
    return np.asarray(u < odds / (1 + odds))
