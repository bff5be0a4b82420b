"""How is the propensity score modelled? The choices, made without outcomes."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Logit:
    """Unpenalised maximum-likelihood logit with a constant."""

    @property
    def in_words(self) -> str:
        """Return the model as a short label."""
        return "logit"


ScoreModel: TypeAlias = Logit
