"""Covariate balance, used by more than one wing."""

from prakerja_eval.balance.expand import expanded
from prakerja_eval.balance.table import Balance, stages, table

__all__ = ["Balance", "expanded", "stages", "table"]
