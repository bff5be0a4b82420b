"""What does a wing ask of a panel? Arrays of units, or small sufficient statistics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.numerics.moments import GroupMoments, Loadings
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.typing import BoolArray, FloatArray, IntArray, StringArray

Missing: TypeAlias = Literal["refuse", "indicator"]


@dataclass(frozen=True, slots=True)
class ArrayRequest:
    """A request for one outcome and what belongs to it, a row a unit.

    Parameters
    ----------
    outcome : str, optional
        Numeric column; None for a design that must not see outcomes.
    covariates : tuple of str
        Columns read at the baseline; ``"column@wave"`` reads a column at a wave. Columns of text
        become indicators, with the first value in sorted order as the reference.
    needs : tuple of str
        Roles without which the request makes no sense: "offer", "received", "cohort".
    covariate_wave : wave label, optional
        Where covariates without "@" are read; left out, the baseline.
    cohorts : bool
        Whether first treated times are read (``panel.adoption``): treatment must then stay on.
    tolerated : tuple of str
        Codes of faults that do not stop this request, since the caller deals with them.
    missing : {"refuse", "indicator"}
        Whether covariates with missing values are refused, or filled with the mean of the known,
        with an indicator of having done so, "age (missing)", after all covariates.
    raw : tuple of str
        Columns read as covariates are, but left as they are: words become codes, no indicators,
        however many there are.
    """

    outcome: str | None = None
    covariates: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    covariate_wave: WaveLabel | None = None
    cohorts: bool = False
    tolerated: tuple[str, ...] = ()
    missing: Missing = "refuse"
    raw: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class RawColumn:
    """A column as it is, (n,): numbers, or for words the codes of ``labels``, which are sorted."""

    values: FloatArray | IntArray
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class UnitArrays:
    """The answer to an ArrayRequest: n units in order of first appearance, T waves in order.

    Attributes
    ----------
    waves : tuple
        Labels of the T waves.
    outcome : (n, T) array
        NaN where the unit was not observed: attrition, kept as data. (n, 0) if none was asked.
    covariates : (n, p) array
        Without missing values.
    names : tuple of str
        Names of the p covariate columns.
    offer : (n,) array
        NaN where Roles names no offer.
    received : (n, T) array
        Whether the unit has been treated by that wave; NaN where that is not known.
    applications : (n, T) array
        Applications that the unit had made by that wave; NaN where that is not known.
    cohort : (n,) array
        First treated wave on the scale of ``timing.wave_times``: its number, or the day on which it
        begins; infinite for never.
    block : (n,) int array
        Block code, and ``block_names`` of length B.
    probability : (n,) array
        Assignment probability, NaN where Roles names none.
    weight : (n,) array
        Sampling weight, 1 where Roles names none.
    clusters : DataFrame
        Indexed by unit: ``weight`` and the cluster columns that Roles names.
    raw : tuple of RawColumn
        In the order asked for.
    """

    waves: tuple[WaveLabel, ...]
    outcome: FloatArray
    covariates: FloatArray
    names: tuple[str, ...]
    offer: FloatArray
    received: FloatArray
    applications: FloatArray
    cohort: FloatArray
    block: IntArray
    block_names: tuple[str, ...]
    probability: FloatArray
    weight: FloatArray
    clusters: pd.DataFrame
    raw: tuple[RawColumn, ...] = ()

    @property
    def units(self) -> StringArray:
        """Return the unit ids, (n,); a copy."""
        return np.array(self.clusters.index, dtype=object)


@dataclass(frozen=True, slots=True)
class MomentPlan:
    """A request for sufficient statistics of an outcome over waves, by group of units.

    Parameters
    ----------
    outcome : str
        Numeric column.
    by : str or tuple of str
        Columns, constant within a unit, whose combinations are the groups.
    cohorts : bool
        Group by first treated time too, as Roles ``cohort`` or ``received`` says; units of which it
        is not known are left out.
    """

    outcome: str
    by: str | tuple[str, ...] = ()
    cohorts: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class UnitInfluence:
    """The answer to loadings on the cells of Moments: a row a unit.

    Attributes
    ----------
    psi : (n, K) array
    sample : (n, K) bool array
    units : DataFrame
        Indexed by unit: ``weight`` and the cluster columns that Roles names.
    group : (n,) int array
        Row of ``Moments.groups``; -1 for units that the plan leaves out.
    """

    psi: FloatArray
    sample: BoolArray
    units: pd.DataFrame
    group: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The answer to a MomentPlan.

    Attributes
    ----------
    groups : DataFrame
        One row a group: the values of the ``by`` columns, by group code; with ``cohorts`` the
        column ``start``, the first treated time on the event scale (``panel.adoption``), infinite
        for never.
    waves : tuple
        Labels of the T waves.
    cells : GroupMoments
        Counts, sums and centred cross-products by group and missingness pattern.
    influence : function of Loadings
        Returns the influence of units on estimates made from these cells.
    """

    groups: pd.DataFrame
    waves: tuple[WaveLabel, ...]
    cells: GroupMoments
    influence: Callable[[Loadings], UnitInfluence]


class PanelProtocol(Protocol):
    """What every panel answers, in memory or from an engine."""

    @property
    def roles(self) -> Roles:
        """Return the roles of the columns."""

    def arrays(self, request: ArrayRequest) -> UnitArrays:
        """Answer a request for arrays."""

    def moments(self, plan: MomentPlan) -> Moments:
        """Answer a request for moments."""
