"""What needs two wings: do the designs agree, and how do they do against a known truth?"""

from prakerja_eval.compare.agreement import Agreement, agreement
from prakerja_eval.compare.diagnose import Experiment, diagnose
from prakerja_eval.compare.diagnosis import Diagnosis
from prakerja_eval.compare.estimators import Judged, standard
from prakerja_eval.compare.matched_did import matched_did, reweighted
from prakerja_eval.compare.within_study import WithinStudy, within_study

__all__ = [
    "Agreement",
    "Diagnosis",
    "Experiment",
    "Judged",
    "WithinStudy",
    "agreement",
    "diagnose",
    "matched_did",
    "reweighted",
    "standard",
    "within_study",
]
