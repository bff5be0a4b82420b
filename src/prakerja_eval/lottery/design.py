"""Which lottery answer is asked for? The choices made before any outcome is seen."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import names_of, one_of

BlockWeights: TypeAlias = Literal["population", "treated", "strata_fe"]
BlockShares: TypeAlias = Literal["fixed", "superpopulation"]
CovariateModel: TypeAlias = Literal["ancova", "lin"]


@dataclass(frozen=True, slots=True)
class Design:
    """How winners and losers of a blocked lottery are compared.

    Parameters
    ----------
    block_weights : {"population", "treated", "strata_fe"}
        "population" averages the blocks' differences by their people (the saturated estimator);
        "treated" by their winners; "strata_fe" is the regression with block fixed effects, which
        weighs blocks by n p (1 - p). Three estimands where effects and odds differ by block.
    shares : {"fixed", "superpopulation"}
        Whether the people per block are taken as given (Neyman) or drawn, which adds their
        sampling variance (Bugni, Canay and Shaikh 2019, doi 10.3982/QE1150).
    covariates : tuple of str
        Baseline columns (see ``ArrayRequest``).
    covariate_model : {"ancova", "lin"}
        "ancova" adds the covariates to the regression; "lin" also interacts them, centred, with
        the offer (Lin 2013, doi 10.1214/12-AOAS583).
    """

    block_weights: BlockWeights = "population"
    shares: BlockShares = "fixed"
    covariates: tuple[str, ...] = ()
    covariate_model: CovariateModel = "ancova"

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        one_of(self.block_weights, BlockWeights, "lottery.Design(block_weights)")
        one_of(self.shares, BlockShares, "lottery.Design(shares)")
        one_of(self.covariate_model, CovariateModel, "lottery.Design(covariate_model)")
        if self.covariate_model == "lin" and not self.covariates:
            raise UsageError("lottery.Design(covariate_model='lin') needs covariates=(...).")
        if self.shares == "superpopulation" and self.block_weights == "strata_fe":
            raise UsageError(
                "lottery.Design(shares='superpopulation') is for block_weights='population' or "
                "'treated': the weights of 'strata_fe' are part of its regression."
            )

    @property
    def weighting(self) -> str:
        """Return the estimand's weighting in words."""
        return {
            "population": "people per block",
            "treated": "treated people",
            "strata_fe": "strata fixed effects",
        }[self.block_weights]
