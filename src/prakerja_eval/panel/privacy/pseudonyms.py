"""How do ids become pseudonyms that nobody can turn back without the key? A keyed HMAC."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from prakerja_eval.errors import UsageError


def new_key(path: str | Path) -> Path:
    """Write a fresh random key."""
    raise UsageError(f"not built yet: {path}")


def pseudonymise(
    source: str | Path | pd.DataFrame,
    columns: str | Iterable[str],
    key_file: str | Path,
    drop: str | Iterable[str] = (),
) -> pd.DataFrame:
    """Replace ids by pseudonyms."""
    raise UsageError(f"not built yet: {source}, {columns}, {key_file}, {drop}")
