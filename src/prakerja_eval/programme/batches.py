"""When did each batch of Kartu Prakerja open, and how many got in?"""

from datetime import date

from prakerja_eval.programme.catalogue import Programme
from prakerja_eval.programme.figure import Figure
from prakerja_eval.programme.records import Batch

__all__ = ["Batch", "Figure", "batches", "first_opening"]


def batches() -> tuple[Batch, ...]:
    """Return the batches of which anything is known, in order."""
    return Programme.named("prakerja").batches


def first_opening() -> date:
    """Return the day on which the programme first took applications: 11 April 2020."""
    return min(b.opened.earliest for b in batches() if b.opened is not None)
