"""The lottery wing: what the programme's own randomisation says."""

from prakerja_eval.lottery.audit import Audit
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.itt import itt
from prakerja_eval.lottery.late import late

__all__ = ["Audit", "Design", "itt", "late"]
