"""Covariate balance, used by more than one wing."""

from prakerja_eval.balance.table import Balance, stages, table

__all__ = ["Balance", "stages", "table"]
