"""In which words and number formats does the toolkit speak? English and Indonesian."""

from prakerja_eval.language.catalogue import LANGUAGES, Catalogue
from prakerja_eval.language.measure import Measure

__all__ = ["LANGUAGES", "Catalogue", "Measure"]
