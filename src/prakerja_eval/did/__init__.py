"""The difference-in-differences wing: what changes over time say."""

from prakerja_eval.did.adoption_tables import cohort_paths, status_map
from prakerja_eval.did.aggregation import by_calendar, by_cohort, event_study, overall
from prakerja_eval.did.bacon import Decomposition, bacon
from prakerja_eval.did.design import Design
from prakerja_eval.did.group_time import group_time
from prakerja_eval.did.imputation import imputation
from prakerja_eval.did.imputation_pretrend import imputation_pretrend
from prakerja_eval.did.poisson import poisson
from prakerja_eval.did.pretrends import PretrendPower, pretrend_power, pretrends
from prakerja_eval.did.restrictions import RelativeMagnitudes, Search, Smoothness
from prakerja_eval.did.sensitivity import Sensitivity, honest
from prakerja_eval.did.sun_abraham import sun_abraham
from prakerja_eval.did.twfe import twfe
from prakerja_eval.did.twfe_weights import EffectWeights, twfe_weights
from prakerja_eval.did.two_by_two import two_by_two
from prakerja_eval.did.variants import leave_one_cohort_out, placebo, subgroups

__all__ = [
    "Decomposition",
    "Design",
    "EffectWeights",
    "PretrendPower",
    "RelativeMagnitudes",
    "Search",
    "Sensitivity",
    "Smoothness",
    "bacon",
    "by_calendar",
    "by_cohort",
    "cohort_paths",
    "event_study",
    "group_time",
    "honest",
    "imputation",
    "imputation_pretrend",
    "leave_one_cohort_out",
    "overall",
    "placebo",
    "poisson",
    "pretrend_power",
    "pretrends",
    "status_map",
    "subgroups",
    "sun_abraham",
    "twfe",
    "twfe_weights",
    "two_by_two",
]
