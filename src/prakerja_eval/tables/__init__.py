"""Tables: findings, agreement, balance and flow as HTML, CSV and LaTeX."""

from prakerja_eval.tables.agreement import agreement, verdict
from prakerja_eval.tables.diagnosis import diagnosis
from prakerja_eval.tables.disclosure import hide_small
from prakerja_eval.tables.impact import impact
from prakerja_eval.tables.people import balance, flow
from prakerja_eval.tables.table import Cell, Column, Table, csv_safe, csv_text

__all__ = [
    "Cell",
    "Column",
    "Table",
    "agreement",
    "balance",
    "csv_safe",
    "csv_text",
    "diagnosis",
    "flow",
    "hide_small",
    "impact",
    "verdict",
]
