"""The participant panel: roles, the table, its faults, and what estimators ask of it."""

from prakerja_eval.panel.arms import Arms, outcome_waves, treated_units, wave_position
from prakerja_eval.panel.contract import Check, Fault
from prakerja_eval.panel.panel import Panel
from prakerja_eval.panel.read import read_panel
from prakerja_eval.panel.requests import (
    ArrayRequest,
    MomentPlan,
    Moments,
    PanelProtocol,
    UnitArrays,
)
from prakerja_eval.panel.roles import Roles, WaveLabel

__all__ = [
    "Arms",
    "ArrayRequest",
    "Check",
    "Fault",
    "MomentPlan",
    "Moments",
    "Panel",
    "PanelProtocol",
    "Roles",
    "UnitArrays",
    "WaveLabel",
    "outcome_waves",
    "read_panel",
    "treated_units",
    "wave_position",
]
