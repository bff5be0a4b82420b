"""The matching wing: what comparison with similar people says."""

from prakerja_eval.matching.balance import balance, prognostic_balance
from prakerja_eval.matching.effects.aipw import aipw
from prakerja_eval.matching.effects.att import Variance, att
from prakerja_eval.matching.effects.difference import difference
from prakerja_eval.matching.effects.double_ml import Learners, double_ml
from prakerja_eval.matching.effects.g_computation import g_computation
from prakerja_eval.matching.effects.otsu_rai import OtsuRai, otsu_rai
from prakerja_eval.matching.kernels.kernel_matching import Kernel, KernelMatched, Radius
from prakerja_eval.matching.match import Matched, match
from prakerja_eval.matching.pairs.design import Nearest, Optimal
from prakerja_eval.matching.score.models import Learner, Logit, Probit
from prakerja_eval.matching.score.propensity import Propensity, people, propensity
from prakerja_eval.matching.score.support import Support
from prakerja_eval.matching.sensitivity.e_value import EValue, e_value
from prakerja_eval.matching.sensitivity.omitted_variable import omitted_variable
from prakerja_eval.matching.sensitivity.omitted_variable_result import OmittedVariable
from prakerja_eval.matching.sensitivity.placebo import Placebo, placebo_outcomes
from prakerja_eval.matching.sensitivity.rosenbaum import RosenbaumBounds, rosenbaum
from prakerja_eval.matching.sensitivity.specification_curve import (
    Specification,
    SpecificationCurve,
    specification_curve,
    specifications,
)
from prakerja_eval.matching.spread import Spread, distribution, weight_spread
from prakerja_eval.matching.strata.coarsened import Coarsened, Exact
from prakerja_eval.matching.strata.strata import Stratified
from prakerja_eval.matching.strata.subclass import Subclass
from prakerja_eval.matching.weighting.weight import Weighted, weight
from prakerja_eval.matching.weighting.weighting import EntropyBalance, InverseProbability

__all__ = [
    "Coarsened",
    "EValue",
    "EntropyBalance",
    "Exact",
    "InverseProbability",
    "Kernel",
    "KernelMatched",
    "Learner",
    "Learners",
    "Logit",
    "Matched",
    "Nearest",
    "OmittedVariable",
    "Optimal",
    "OtsuRai",
    "Placebo",
    "Probit",
    "Propensity",
    "Radius",
    "RosenbaumBounds",
    "Specification",
    "SpecificationCurve",
    "Spread",
    "Stratified",
    "Subclass",
    "Support",
    "Variance",
    "Weighted",
    "aipw",
    "att",
    "balance",
    "difference",
    "distribution",
    "double_ml",
    "e_value",
    "g_computation",
    "match",
    "omitted_variable",
    "otsu_rai",
    "people",
    "placebo_outcomes",
    "prognostic_balance",
    "propensity",
    "rosenbaum",
    "specification_curve",
    "specifications",
    "weight",
    "weight_spread",
]
