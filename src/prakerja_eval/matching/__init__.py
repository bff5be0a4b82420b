"""The matching wing: what comparison with similar people says."""

from prakerja_eval.matching.att import Variance, att
from prakerja_eval.matching.design import Nearest
from prakerja_eval.matching.match import Matched, match
from prakerja_eval.matching.propensity import Propensity, propensity

__all__ = ["Matched", "Nearest", "Propensity", "Variance", "att", "match", "propensity"]
