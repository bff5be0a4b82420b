"""What can go wrong, one class a kind, each with the exit code that the CLI answers."""

from collections.abc import Iterable
from difflib import get_close_matches


class PrakerjaEvalError(Exception):
    """Base of every expected failure: one message that says what, where and how to mend it."""

    exit_code = 1


class UsageError(PrakerjaEvalError):
    """A wrong call: an unknown column or option, a bad study file, an unusable target."""

    exit_code = 2


class DataError(PrakerjaEvalError):
    """The data are missing, unreadable or at fault."""

    exit_code = 3


class NotEstimableError(PrakerjaEvalError):
    """The data are sound, but this design cannot give this number from them."""

    exit_code = 4


class SeparationError(NotEstimableError):
    """A column (or a combination led by it) predicts the treatment perfectly.

    Attributes
    ----------
    column : int
        Position of the offending column in the design matrix.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


class CollinearityError(NotEstimableError):
    """A column of a design matrix is a linear combination of the others.

    Attributes
    ----------
    column : int
        Position of the offending column in the design matrix.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


class DriftError(PrakerjaEvalError):
    """Outputs made again differ from the committed ones."""

    exit_code = 5


class IdentifierError(PrakerjaEvalError):
    """The data hold columns that tell who people are."""

    exit_code = 6


def nearest(name: str, known: Iterable[object]) -> str:
    """Return " Did you mean 'x'?" for the nearest known name, or nothing; case does not count."""
    lower = {str(k).lower(): str(k) for k in known}
    near = get_close_matches(name.lower(), list(lower), n=1)
    return f" Did you mean {lower[near[0]]!r}?" if near else ""
