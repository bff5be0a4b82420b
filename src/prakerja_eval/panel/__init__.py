"""The participant panel: roles, the table, its faults, and what estimators ask of it."""

from prakerja_eval.panel.arms import Arms, outcome_waves, treated_units, wave_position
from prakerja_eval.panel.contract import Check, Fault
from prakerja_eval.panel.options import ReadOptions, Wide
from prakerja_eval.panel.panel import Panel
from prakerja_eval.panel.privacy import new_key, pseudonymise
from prakerja_eval.panel.read import read_panel
from prakerja_eval.panel.requests import (
    ArrayRequest,
    MomentPlan,
    Moments,
    PanelProtocol,
    UnitArrays,
)
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.panel.table import Note, Variable
from prakerja_eval.panel.timing import wave_times

__all__ = [
    "Arms",
    "ArrayRequest",
    "Check",
    "Fault",
    "MomentPlan",
    "Moments",
    "Note",
    "Panel",
    "PanelProtocol",
    "ReadOptions",
    "Roles",
    "UnitArrays",
    "Variable",
    "WaveLabel",
    "Wide",
    "new_key",
    "outcome_waves",
    "pseudonymise",
    "read_panel",
    "treated_units",
    "wave_position",
    "wave_times",
]
