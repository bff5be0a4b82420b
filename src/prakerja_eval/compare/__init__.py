"""What needs two wings: do the designs agree?"""

from prakerja_eval.compare.agreement import Agreement, agreement

__all__ = ["Agreement", "agreement"]
