"""Which words do the table and the figure of a diagnosis need? Both languages, as messages."""

import tomllib
from importlib import resources
from types import MappingProxyType

from prakerja_eval.language import Catalogue


def diagnosis_words(catalogue: Catalogue | None = None) -> Catalogue:
    """Return a catalogue (English if left out) with the diagnosis's own messages in it."""
    words = catalogue or Catalogue.named("en")
    source = resources.files("prakerja_eval.compare").joinpath("diagnosis_words.toml")
    own = tomllib.loads(source.read_text(encoding="utf-8"))[words.language]
    added = {f"diagnosis.{key}": text for key, text in own.items()}
    return Catalogue(words.language, MappingProxyType({**words.messages, **added}))
