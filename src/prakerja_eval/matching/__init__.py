"""The matching wing: what comparison with similar people says."""

from prakerja_eval.matching.aipw import aipw
from prakerja_eval.matching.att import Variance, att
from prakerja_eval.matching.balance import balance, prognostic_balance
from prakerja_eval.matching.coarsened import Coarsened, Exact
from prakerja_eval.matching.design import Nearest, Optimal
from prakerja_eval.matching.difference import difference
from prakerja_eval.matching.double_ml import Learners, double_ml
from prakerja_eval.matching.e_value import EValue, e_value
from prakerja_eval.matching.g_computation import g_computation
from prakerja_eval.matching.kernel_matching import Kernel, KernelMatched, Radius
from prakerja_eval.matching.match import Matched, match
from prakerja_eval.matching.models import Learner, Logit, Probit
from prakerja_eval.matching.omitted_variable import omitted_variable
from prakerja_eval.matching.omitted_variable_result import OmittedVariable
from prakerja_eval.matching.otsu_rai import OtsuRai, otsu_rai
from prakerja_eval.matching.placebo import Placebo, placebo_outcomes
from prakerja_eval.matching.propensity import Propensity, people, propensity
from prakerja_eval.matching.rosenbaum import RosenbaumBounds, rosenbaum
from prakerja_eval.matching.specification_curve import (
    Specification,
    SpecificationCurve,
    specification_curve,
    specifications,
)
from prakerja_eval.matching.spread import Spread, distribution, weight_spread
from prakerja_eval.matching.strata import Stratified
from prakerja_eval.matching.subclass import Subclass
from prakerja_eval.matching.support import Support
from prakerja_eval.matching.weight import Weighted, weight
from prakerja_eval.matching.weighting import EntropyBalance, InverseProbability

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
