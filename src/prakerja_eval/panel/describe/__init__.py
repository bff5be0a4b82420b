"""What does a panel hold? Who, when, in which arm, what is missing, how values are spread."""

from prakerja_eval.panel.describe.description import Description, describe
from prakerja_eval.panel.describe.look import Places

__all__ = ["Description", "Places", "describe"]
