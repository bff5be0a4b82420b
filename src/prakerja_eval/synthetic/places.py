"""Where do applicants live? Provinces by their recipients, districts by population."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.programme import Figure, Programme, Province
from prakerja_eval.synthetic.limits import one_of
from prakerja_eval.typing import FloatArray, IntArray

ISLANDS = {1: "Sumatera", 2: "Sumatera", 3: "Jawa", 5: "Bali-Nusa Tenggara", 6: "Kalimantan"}
ISLANDS |= {7: "Sulawesi", 8: "Maluku-Papua", 9: "Maluku-Papua"}


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The provinces that take part, of which there are P.

    Attributes
    ----------
    codes : (P,) int array
        Codes of the statistical office.
    names : tuple of P str
    island : (P,) int array
        Place of its island group in ``islands``.
    islands : tuple of str
    share : (P,) array
        Share of the people drawn, after oversampling.
    weight : (P,) array
        Sampling weight of a person, 1 on average over the people drawn.
    pay : (P,) array
        Minimum wage over its mean.
    districts : (P,) int array
        Number of districts.
    """

    codes: IntArray
    names: tuple[str, ...]
    island: IntArray
    islands: tuple[str, ...]
    share: FloatArray
    weight: FloatArray
    pay: FloatArray
    districts: IntArray

    def draw(self, u: FloatArray) -> IntArray:
        """Return a province for each uniform number, (n,)."""
        edges = np.cumsum(self.share)[:-1]
        return np.asarray(np.searchsorted(edges, u, side="right"), dtype=np.int64)

    def district(self, province: IntArray, u: FloatArray) -> IntArray:
        """Return a district for each person, numbered through the country."""
        before = np.cumsum(self.districts) - self.districts
        return np.asarray(before[province] + np.floor(u * self.districts[province]), dtype=np.int64)


def chosen(names: tuple[str, ...]) -> list[Province]:
    """Return the provinces named, or all.

    Raises
    ------
    UsageError
        For a province that the programme does not have, or one named twice.
    """
    every = Programme.named("prakerja").provinces
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"people.provinces names {', '.join(twice)} twice; name each once.")
    for name in names:
        one_of("people.provinces", name, [p.name for p in every])
    return [p for p in every if not names or p.name in names]


def places(names: tuple[str, ...], districts: int, oversampling: float) -> Places:
    """Return where people live: in the provinces named, or in all.

    Raises
    ------
    UsageError
        For a province that the programme does not have.
    """
    found = chosen(names)
    population = np.array([_number(p.population) for p in found])
    listed = np.array([_number(p.recipients) for p in found])
    # Bengkulu's recipients are not printed: taken at the others' recipients per head (assumption)
    seen = np.isfinite(listed)
    rate = listed[seen].sum() / population[seen].sum() if seen.any() else 1.0
    recipients = np.where(seen, listed, rate * population)
    share = recipients / recipients.sum()
    drawn = share ** (1 - oversampling)
    drawn = drawn / drawn.sum()
    pay = np.array([_number(p.minimum_wage) for p in found])
    island = [ISLANDS[p.code // 10] for p in found]
    islands = tuple(dict.fromkeys(island))
    return Places(
        codes=np.array([p.code for p in found]),
        names=tuple(p.name for p in found),
        island=np.array([islands.index(i) for i in island]),
        islands=islands,
        share=drawn,
        weight=share / drawn,
        pay=pay / (share @ pay),
        districts=np.maximum(np.rint(districts * population / population.sum()), 1).astype(int),
    )


def _number(figure: Figure | None) -> float:
    """Return a figure's value; what is not printed is no number."""
    return float("nan") if figure is None else float(figure.value)  # type: ignore[arg-type]
