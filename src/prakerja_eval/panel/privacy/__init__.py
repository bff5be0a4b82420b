"""Who could be recognised in these data? Columns that identify people, and pseudonyms for them."""

from prakerja_eval.panel.privacy.keys import new_key
from prakerja_eval.panel.privacy.pseudonyms import pseudonymise
from prakerja_eval.panel.privacy.screen import (
    Identifier,
    refuse_found,
    refuse_identifiers,
    screen,
)

__all__ = ["Identifier", "new_key", "pseudonymise", "refuse_found", "refuse_identifiers", "screen"]
