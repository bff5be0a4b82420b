"""The participant panel: roles, the table, its faults, and what estimators ask of it."""

from prakerja_eval.panel.adoption import Adoption, adoption, adoption_label, wave_scale
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
    UnitInfluence,
)
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.panel.table import Note, Variable
from prakerja_eval.panel.timing import wave_times

__all__ = [
    "Adoption",
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
    "UnitInfluence",
    "Variable",
    "WaveLabel",
    "Wide",
    "adoption",
    "adoption_label",
    "new_key",
    "outcome_waves",
    "pseudonymise",
    "read_panel",
    "treated_units",
    "wave_position",
    "wave_scale",
    "wave_times",
]
