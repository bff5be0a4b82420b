"""Which trends are taken as parallel? The choices made before any outcome is seen."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import names_of, one_of

Method: TypeAlias = Literal["dr", "ipw", "reg", "unconditional"]


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
        Baseline columns. Trends are parallel given these. Without any, all methods are the
        unconditional one.
    """

    method: Method = "dr"
    covariates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        one_of(self.method, Method, "did.Design(method)")
        if self.method == "unconditional" and self.covariates:
            raise UsageError(
                "did.Design(method='unconditional') uses no covariates; "
                "choose 'dr', 'ipw' or 'reg', or leave the covariates out."
            )
