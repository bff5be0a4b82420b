"""The difference-in-differences wing: what changes over time say."""

from prakerja_eval.did.design import Design
from prakerja_eval.did.two_by_two import two_by_two

__all__ = ["Design", "two_by_two"]
