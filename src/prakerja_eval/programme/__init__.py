"""What is the programme? Dated facts of Kartu Prakerja, each with its source and confidence."""

from prakerja_eval.programme.batches import batches, first_opening
from prakerja_eval.programme.catalogue import Programme
from prakerja_eval.programme.figure import Figure
from prakerja_eval.programme.records import Batch, Province

__all__ = ["Batch", "Figure", "Programme", "Province", "batches", "first_opening"]
