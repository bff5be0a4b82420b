"""Which column is what? Named once, here."""

from dataclasses import dataclass, fields
from typing import TypeAlias

from prakerja_eval.errors import UsageError

WaveLabel: TypeAlias = int | float | str


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a participant panel by what they mean.

    Parameters
    ----------
    unit : str
        Person id. Read as a string, always.
    wave : str, optional
        Survey round or period. Left out, the data are one cross-section.
    baseline : wave label, optional
        The last wave before anyone was treated; covariates are read there.
    wave_order : tuple of wave labels, optional
        The waves in time order, for labels of text such as "midline"; numbers and dates written
        as "2021-02" or "2021Q1" need none.
    cohort : str, optional
        First treated wave of the unit; 0 for never.
    offer : str, optional
        1 for winners of the lottery (or those offered), 0 for losers. Constant within a unit.
    received : str, optional
        1 from the wave in which the unit has been treated.
    blocks : str or tuple of str, optional
        Columns whose combinations are the lottery's blocks (batch and stratum, say).
    probability : str, optional
        Assignment probability, above 0 and below 1. The lottery wing refuses blocks in which it
        differs.
    application : str, optional
        Number of the application (1, 2, ...), for people who apply again.
    household, psu : str, optional
        Columns that can serve as clusters.
    clusters : str or tuple of str, optional
        Further columns that can serve as clusters.
    weight : str, optional
        Sampling weight, zero or more.
    sampling_stratum : str, optional
        Stratum of the survey's sample.
    responded : str, optional
        1 where the unit answered in that wave.
    attempts : str, optional
        Number of calls made in that wave.
    """

    unit: str
    wave: str | None = None
    baseline: WaveLabel | None = None
    wave_order: tuple[WaveLabel, ...] = ()
    cohort: str | None = None
    offer: str | None = None
    received: str | None = None
    blocks: str | tuple[str, ...] = ()
    probability: str | None = None
    application: str | None = None
    household: str | None = None
    clusters: str | tuple[str, ...] = ()
    weight: str | None = None
    psu: str | None = None
    sampling_stratum: str | None = None
    responded: str | None = None
    attempts: str | None = None

    def __post_init__(self) -> None:
        for name in ("blocks", "clusters"):
            value = getattr(self, name)
            names = (value,) if isinstance(value, str) else tuple(value or ())
            object.__setattr__(self, name, names)
        object.__setattr__(self, "wave_order", tuple(self.wave_order or ()))
        self._refuse_ambiguous_clusters()
        if self.baseline is not None and self.wave is None:
            raise UsageError("Roles(baseline=...) names a wave, so Roles(wave=...) must be given.")

    def _refuse_ambiguous_clusters(self) -> None:
        """Refuse a cluster column that bears the name of another cluster."""
        taken = {"unit": self.unit, "weight": None}
        taken |= {r: c for r in ("household", "psu") if (c := getattr(self, r)) is not None}
        for column in (*self.clusters, self.household, self.psu):
            if column is not None and taken.get(column, column) != column:
                raise UsageError(
                    f"the column {column!r} cannot serve as a cluster, since inference uses this "
                    "name for another one; rename the column."
                )

    def columns(self) -> dict[str, tuple[str, ...]]:
        """Return the columns named, by role."""
        out: dict[str, tuple[str, ...]] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in ("baseline", "wave_order") or value is None or value == ():
                continue
            out[item.name] = (value,) if isinstance(value, str) else value
        return out

    def id_columns(self) -> tuple[str, ...]:
        """Return the columns that are names and not numbers."""
        named = self.columns()
        roles = ("unit", "household", "psu", "clusters")
        return tuple(c for role in roles for c in named.get(role, ()))

    def cluster_columns(self) -> dict[str, str]:
        """Return what inference can cluster by: name to column."""
        named = {c: c for c in self.clusters}
        for role in ("household", "psu"):
            column = getattr(self, role)
            if column is not None:
                named |= {column: column, role: column}
        return named
