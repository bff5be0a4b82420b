"""The public names, as a type checker sees them."""

from prakerja_eval import balance as balance
from prakerja_eval import compare as compare
from prakerja_eval import did as did
from prakerja_eval import errors as errors
from prakerja_eval import figures as figures
from prakerja_eval import lottery as lottery
from prakerja_eval import matching as matching
from prakerja_eval import synthetic as synthetic
from prakerja_eval import tables as tables
from prakerja_eval.estimate import AbadieImbens as AbadieImbens
from prakerja_eval.estimate import Adjustment as Adjustment
from prakerja_eval.estimate import Classical as Classical
from prakerja_eval.estimate import Clustered as Clustered
from prakerja_eval.estimate import Estimate as Estimate
from prakerja_eval.estimate import Findings as Findings
from prakerja_eval.estimate import MultiplierBootstrap as MultiplierBootstrap
from prakerja_eval.estimate import Robust as Robust
from prakerja_eval.estimate import WildClusterBootstrap as WildClusterBootstrap
from prakerja_eval.estimate import aggregate as aggregate
from prakerja_eval.estimate import contrast as contrast
from prakerja_eval.estimate import infer as infer
from prakerja_eval.estimate import join as join
from prakerja_eval.estimate import rename as rename
from prakerja_eval.estimate import subset as subset
from prakerja_eval.estimate import test_equal as test_equal
from prakerja_eval.estimate import wald as wald
from prakerja_eval.panel import Check as Check
from prakerja_eval.panel import MomentPlan as MomentPlan
from prakerja_eval.panel import Panel as Panel
from prakerja_eval.panel import ReadOptions as ReadOptions
from prakerja_eval.panel import Roles as Roles
from prakerja_eval.panel import Wide as Wide
from prakerja_eval.panel import new_key as new_key
from prakerja_eval.panel import pseudonymise as pseudonymise
from prakerja_eval.panel import read_panel as read_panel
from prakerja_eval.programme import Programme as Programme
from prakerja_eval.report import Report as Report
from prakerja_eval.report import report as report
from prakerja_eval.report import verify as verify
from prakerja_eval.study import Results as Results
from prakerja_eval.study import Study as Study
from prakerja_eval.synthetic import Scenario as Scenario
from prakerja_eval.synthetic import World as World
from prakerja_eval.synthetic import simulate as simulate

__version__: str
