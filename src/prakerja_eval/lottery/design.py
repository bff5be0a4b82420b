"""Which lottery answer is asked for? The choices made before any outcome is seen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import names_of, one_of
from prakerja_eval.panel import Panel

if TYPE_CHECKING:
    from prakerja_eval.lottery.audit import Audit

BlockWeights: TypeAlias = Literal["population", "treated", "strata_fe"]
BlockShares: TypeAlias = Literal["fixed", "superpopulation"]
CovariateModel: TypeAlias = Literal["ancova", "lin", "lasso"]
Method: TypeAlias = Literal["difference", "ipw"]
Instruments: TypeAlias = Literal["offer", "offer_by_block"]
LoneArms: TypeAlias = Literal["refuse", "merge", "pashley_miratrix"]
EmptyArms: TypeAlias = Literal["refuse", "drop"]

WEIGHTING = {
    "population": "people per block",
    "treated": "treated people",
    "strata_fe": "strata fixed effects",
}


@dataclass(frozen=True, slots=True)
class Design:
    """How winners and losers of a blocked lottery are compared.

    The columns are named once, in Roles: ``blocks`` (batch and stratum), ``offer``, ``received``,
    ``probability`` (the stated odds; without it the odds of a block are its winners over its
    people, its quota over its applicants).

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
    covariate_model : {"ancova", "lin", "lasso"}
        "ancova" adds the covariates to the regression; "lin" also interacts them, centred, with
        the offer (Lin 2013, doi 10.1214/12-AOAS583); "lasso" adds those that double selection
        keeps, block means taken out first (Belloni, Chernozhukov and Hansen 2014,
        doi 10.1093/restud/rdt044).
    method : {"difference", "ipw"}
        "difference" compares within blocks; "ipw" compares everybody, weighted by one over the
        odds of the own arm, which are taken as known (Horvitz and Thompson 1952,
        doi 10.1080/01621459.1952.10483446; with weights that add up to one in each arm).
    instruments : {"offer", "offer_by_block"}
        Of ``late``: "offer" gives the ratio of two effects of the offer; "offer_by_block" is
        over-identified two-stage least squares with block fixed effects, which weighs blocks by
        n p (1 - p) times the square of their first stage.
    clusters : str, optional
        The cluster column of Roles by which the lottery was drawn, whole villages say: everybody
        of a cluster has one arm. Left out, people were drawn.
    lone_arms : {"refuse", "merge", "pashley_miratrix"}
        Blocks with one winner or one loser, of whom no spread is seen: "refuse" gives the estimate
        without a standard error; "merge" pools such a block with blocks of the same odds;
        "pashley_miratrix" takes their variance from the differences between such blocks (2021,
        doi 10.3102/1076998620946272).
    empty_arms : {"refuse", "drop"}
        Blocks in which everyone won or everyone lost, or of which only one arm answered: refused,
        or left out and counted, which changes the people that the answer is about.
    """

    block_weights: BlockWeights = "population"
    shares: BlockShares = "fixed"
    covariates: tuple[str, ...] = ()
    covariate_model: CovariateModel = "ancova"
    method: Method = "difference"
    instruments: Instruments = "offer"
    clusters: str | None = None
    lone_arms: LoneArms = "refuse"
    empty_arms: EmptyArms = "refuse"

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        allowed = {
            "block_weights": BlockWeights,
            "shares": BlockShares,
            "covariate_model": CovariateModel,
            "method": Method,
            "instruments": Instruments,
            "lone_arms": LoneArms,
            "empty_arms": EmptyArms,
        }
        for name, values in allowed.items():
            one_of(getattr(self, name), values, f"lottery.Design({name})")
        self._refuse_combinations()

    def _refuse_combinations(self) -> None:
        """Refuse choices that contradict each other."""
        if self.covariate_model != "ancova" and not self.covariates:
            raise UsageError(
                f"lottery.Design(covariate_model={self.covariate_model!r}) needs covariates=(...)."
            )
        if self.shares == "superpopulation" and self.block_weights == "strata_fe":
            raise UsageError(
                "lottery.Design(shares='superpopulation') is for block_weights='population' or "
                "'treated': the weights of 'strata_fe' are part of its regression."
            )
        if self.method == "ipw" and (
            self.block_weights == "strata_fe" or self.shares == "superpopulation"
        ):
            raise UsageError(
                "lottery.Design(method='ipw') compares everybody at once: block_weights is "
                "'population' or 'treated', and its standard error counts people as drawn already."
            )
        if self.lone_arms == "pashley_miratrix" and (
            self.block_weights == "strata_fe" or self.covariates or self.method == "ipw"
        ):
            raise UsageError(
                "lottery.Design(lone_arms='pashley_miratrix') is for differences in means within "
                "blocks: no covariates, no 'strata_fe', no 'ipw'. Use lone_arms='merge' there."
            )
        if self.instruments == "offer_by_block" and (
            self.method == "ipw" or self.covariate_model == "lin"
        ):
            raise UsageError(
                "lottery.Design(instruments='offer_by_block') is a regression with block fixed "
                "effects: method='difference', and covariates added and not interacted."
            )

    @property
    def weighting(self) -> str:
        """Return the estimand's weighting in words."""
        return WEIGHTING[self.block_weights]

    def audit(self, panel: Panel) -> "Audit":
        """Say what the lottery looks like, block by block, without looking at an outcome.

        Returns
        -------
        Audit
            Blocks with an empty arm and with one person in an arm, with their n; observed odds
            against the stated ones; applications and prizes that cannot be.
        """
        from prakerja_eval.lottery.audit import audit  # late: it reads Design

        return audit(panel, self)


def merged_only(design: Design) -> LoneArms:
    """Return how a verb deals with lone arms that has covariates in its regressions."""
    return "merge" if design.lone_arms == "merge" else "refuse"
