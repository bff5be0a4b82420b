"""The lottery wing: what the programme's own randomisation says."""

from prakerja_eval.lottery.attrition import Attrition, attrition
from prakerja_eval.lottery.audit import Audit
from prakerja_eval.lottery.balance import LotteryBalance, balance
from prakerja_eval.lottery.bounds import Bounds
from prakerja_eval.lottery.compliers import complier_table, compliers
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.first_stage import first_stage
from prakerja_eval.lottery.index import SummaryIndex, summary_index
from prakerja_eval.lottery.itt import itt
from prakerja_eval.lottery.late import late
from prakerja_eval.lottery.lee import Trimming, lee_bounds
from prakerja_eval.lottery.power import Detectable, mde, needed, power, power_curve
from prakerja_eval.lottery.power_design import PowerDesign
from prakerja_eval.lottery.quantiles import quantiles
from prakerja_eval.lottery.randomisation import Randomisation, Redraw
from prakerja_eval.lottery.randomise import randomise
from prakerja_eval.lottery.response import response_weighted
from prakerja_eval.lottery.subgroups import same_effect, subgroups
from prakerja_eval.lottery.transform import net_of_transfers, transformed
from prakerja_eval.lottery.weak_instrument import WeakInstrument, weak_instrument
from prakerja_eval.lottery.worst_case import kling_liebman_bounds, manski_bounds
from prakerja_eval.lottery.zeros import zeros

__all__ = [
    "Attrition",
    "Audit",
    "Bounds",
    "Design",
    "Detectable",
    "LotteryBalance",
    "PowerDesign",
    "Randomisation",
    "Redraw",
    "SummaryIndex",
    "Trimming",
    "WeakInstrument",
    "attrition",
    "balance",
    "complier_table",
    "compliers",
    "first_stage",
    "itt",
    "kling_liebman_bounds",
    "late",
    "lee_bounds",
    "manski_bounds",
    "mde",
    "needed",
    "net_of_transfers",
    "power",
    "power_curve",
    "quantiles",
    "randomise",
    "response_weighted",
    "same_effect",
    "subgroups",
    "summary_index",
    "transformed",
    "weak_instrument",
    "zeros",
]
