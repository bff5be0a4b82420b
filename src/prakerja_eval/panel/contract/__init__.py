"""What is wrong with the data? Every fault at once, with its count, its rows and its remedy."""

from prakerja_eval.panel.contract.asked import Asked
from prakerja_eval.panel.contract.blocks import block_labels
from prakerja_eval.panel.contract.fault import Check, Fault
from prakerja_eval.panel.contract.find import find_faults, standing_faults

__all__ = [
    "Asked",
    "Check",
    "Fault",
    "block_labels",
    "find_faults",
    "standing_faults",
]
