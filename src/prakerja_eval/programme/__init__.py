"""What is the programme? Dated facts of Kartu Prakerja, each with its source and confidence."""

from prakerja_eval.programme.batches import Batch, Figure, batches, first_opening

__all__ = ["Batch", "Figure", "batches", "first_opening"]
