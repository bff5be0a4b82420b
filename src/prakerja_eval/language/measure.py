"""In which unit, and with how many digits, is a quantity shown?"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

SHARE = "share"


@dataclass(frozen=True, slots=True)
class Measure:
    """How numbers of one outcome are shown, the same in every sentence, table and figure.

    Attributes
    ----------
    unit : str
        The outcome's unit: "dollars", "rupiah", "share", ...
    factor : float
        Numbers are multiplied by it; 100 for shares, which are shown as percentage points.
    digits : int
        Digits after the decimal sign.
    """

    unit: str
    factor: float = 1.0
    digits: int = 0

    @classmethod
    def of(cls, unit: str, values: Iterable[float] = ()) -> "Measure":
        """Return the measure that shows about three digits of the largest of the values.

        Parameters
        ----------
        unit : str
        values : iterable of float
            Estimates and standard errors of one outcome; NaN is left out.
        """
        if unit == SHARE:
            return cls(unit, 100.0, 1)
        sizes = [abs(float(v)) for v in values if math.isfinite(float(v))]
        largest = max(sizes, default=0.0)
        if largest <= 0:
            return cls(unit, 1.0, 0 if not sizes else 1)
        return cls(unit, 1.0, min(max(2 - math.floor(math.log10(largest)), 0), 6))
