"""Which trends are taken as parallel? The choices made before any outcome is seen."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import instance_of, names_of, one_of

Method: TypeAlias = Literal["dr", "ipw", "reg", "unconditional"]
Comparison: TypeAlias = Literal["never_treated", "not_yet_treated"]
BasePeriod: TypeAlias = Literal["varying", "universal"]
CovariatesAt: TypeAlias = Literal["baseline", "base_period"]
Data: TypeAlias = Literal["panel", "cross_sections"]


@dataclass(frozen=True, slots=True)
class Design:
    """How the change of the treated is compared with that of the comparison group.

    Parameters
    ----------
    method : {"dr", "ipw", "reg", "unconditional"}
        "dr", doubly robust: a logit score and a regression among comparison units, right if either
        is; "ipw", inverse-probability weights normalised to one; "reg", the regression alone;
        "unconditional", no covariates (Sant'Anna and Zhao 2020, doi 10.1016/j.jeconom.2020.06.003).
    covariates : tuple of str
        Columns; trends are parallel given these. Without any, all methods are the unconditional
        one.
    comparison : {"never_treated", "not_yet_treated"}
        Who stands for the treated had they not been treated. "not_yet_treated" adds cohorts before
        their own start (Callaway and Sant'Anna 2021, doi 10.1016/j.jeconom.2020.12.001).
    base_period : {"varying", "universal"}
        Period before, for waves before treatment: the wave before each ("varying", a change from
        wave to wave), or the last wave before treatment for all ("universal", which event-study
        plots and sensitivity analysis read). Effects after treatment are the same.
    anticipation : int or float
        How long before its start treatment may already act, in the unit of the waves (their labels
        where they are numbers, else waves). The base moves back by as much.
    covariates_at : {"baseline", "base_period"}
        Where covariates that vary over waves are read: at the panel's baseline, or at each
        comparison's own period before.
    data : {"panel", "cross_sections"}
        "panel": changes of the units seen in both periods. "cross_sections": all units seen in
        either period, for repeated cross-sections, and for unbalanced panels where each wave's
        sample is to count; influence is summed within units.
    """

    method: Method = "dr"
    covariates: tuple[str, ...] = ()
    comparison: Comparison = "never_treated"
    base_period: BasePeriod = "varying"
    anticipation: float = 0
    covariates_at: CovariatesAt = "baseline"
    data: Data = "panel"

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        one_of(self.method, Method, "did.Design(method)")
        one_of(self.comparison, Comparison, "did.Design(comparison)")
        one_of(self.base_period, BasePeriod, "did.Design(base_period)")
        one_of(self.covariates_at, CovariatesAt, "did.Design(covariates_at)")
        one_of(self.data, Data, "did.Design(data)")
        if isinstance(self.anticipation, bool) or not isinstance(self.anticipation, int | float):
            raise UsageError("did.Design(anticipation) is a number of periods, 0 or more.")
        if not 0 <= self.anticipation < float("inf"):
            raise UsageError(
                f"did.Design(anticipation) is {self.anticipation}; it must be 0 or more."
            )
        if self.method == "unconditional" and self.covariates:
            raise UsageError(
                "did.Design(method='unconditional') uses no covariates; "
                "choose 'dr', 'ipw' or 'reg', or leave the covariates out."
            )

    def refuse_beyond(self, estimator: str, *fields: str) -> None:
        """Refuse options that an estimator does not read; ``fields`` names those it does.

        Raises
        ------
        UsageError
            With the option at fault.
        """
        default = Design()
        for name in self.__slots__:
            if name not in fields and getattr(self, name) != getattr(default, name):
                raise UsageError(f"{estimator} does not read did.Design({name}=...); leave it out.")


def read_design(design: Design | None, estimator: str, *fields: str) -> Design:
    """Return the design, or refuse one with options that the estimator does not read."""
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    design.refuse_beyond(estimator, *fields)
    return design
