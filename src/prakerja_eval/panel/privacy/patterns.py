"""Which cells look like a NIK, a phone number, an e-mail, a name, an address or a place?"""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prakerja_eval.panel.privacy.naming import words
from prakerja_eval.panel.runs import runs_of
from prakerja_eval.panel.shown import MOBILE_WRITTEN, NIK
from prakerja_eval.panel.values import as_text
from prakerja_eval.typing import BoolArray

LARGE = 1e9  # numbers below cannot be a phone number, let alone a NIK
NEARLY_LARGE = 1e8  # the least that stands beside large ones: a short mobile number without its 0
SIXTEEN_DIGITS = 1e15

# after 62 at least nine digits: ten in all are BPS codes of villages in Central Kalimantan (62)
MOBILE = r"(?:628[1-9][0-9]{7,10}|08[1-9][0-9]{6,10})"
OPERATOR = r"8(?:1[1-9]|2[1238]|3[1238]|5[1-35-9]|7[78]|8[1-9]|9[5-9])"  # of mobile numbers
MOBILE_BARE = OPERATOR + "[0-9]{6,9}"
MOBILE_SHORT = r"8[1-9][0-9]{7,10}"
LANDLINE = r"(?:62|0)[2-79][0-9]{7,10}"

DIGIT_CELL = r"^[\s'\"+(]*[0-9][0-9 .()\-]{6,24}[0-9]\s*(?:\.0)?\s*$"
MOBILE_IN_TEXT = rf"(?:^|[\s:;,/(=]){MOBILE_WRITTEN}(?:$|[^0-9A-Za-z])"
MOBILES = rf"^\s*{MOBILE_WRITTEN}(?:\s*(?:[/,;&|]|dan|atau)\s*{MOBILE_WRITTEN})+\s*$"
_BEFORE, _AFTER = r"(?:^\s*[A-Za-z]{0,10}|[^0-9A-Za-z])", "(?:$|[^0-9A-Za-z])"
SIXTEEN_IN_TEXT = f"{_BEFORE}[0-9]{{16}}{_AFTER}"
NIK_IN_TEXT = f"{_BEFORE}{NIK}{_AFTER}"
PERSON = r"^\s*\p{L}[\p{L}'’`.\-]*(?:[ ,.]+\p{L}[\p{L}'’`.\-]*){0,4}\s*$"
LOOSE_PERSON = r"^\s*\p{L}{3,}[\p{L}'’`.\-]*(?:[ ,.(/]+[\p{L}0-9'’`.\-]+\)?){0,5}\s*$"
STREET = (
    r"(?i)(?:^|[^\p{L}])(?:jl|jln|jalan|gg|gang|rt|rw|blok|komplek|kompleks|perum|perumahan|dusun|dsn|kp|"
    r"kampung|desa|kel|kec|lorong|street|st|road|rd|avenue|ave|lane)(?:$|[^\p{L}])"
)
HOUSE = (
    r"(?i)(?:(?:^|[^\p{L}])jln?\.?\s+\S.*[0-9]"
    r"|(?:^|[^\p{L}])rt\.?\s*[0-9]{1,3}\s*[/,\\ -]*\s*rw\.?\s*[0-9])"
)
WORDS_AND_NUMBER = r"\p{L}{2}\S*\s+.*[0-9]"
REGENCY = r"^\s*(?i:kab|kabupaten|kota|prov|provinsi)[ .]"
_DEGREES = r"-?[0-9]{1,3}\.[0-9]{3,}"
# altitude and accuracy may follow
POINT = (
    rf"^\s*(?:POINT\s*)?\(?\s*(?P<a>{_DEGREES})\s*[,; ]\s*(?P<b>{_DEGREES})"
    r"(?:[,; ]+-?[0-9.]+){0,2}\s*\)?\s*$"
)
MAP_LINK = r"https?://\S*[^0-9.]-?[0-9]{1,3}\.[0-9]{3,}(?:,|%2C)\+?-?[0-9]{1,3}\.[0-9]{3,}"
DEGREES_MINUTES = r"[0-9]{1,3}\s*°\s*[0-9]{1,2}(?:\.[0-9]+)?\s*['′’]"
ACCOUNT = r"^[0-9]{8,19}$"
DOCUMENT = r"^\s*[A-Za-z]{0,3}[ .\-]?(?:[0-9][ .\-]?){5,19}[A-Za-z]{0,3}\s*$"
HANDLE = r"^\s*@?[A-Za-z0-9_.:/\-]{4,80}\s*$"
# hexadecimal of MD5, SHA-1 and SHA-2, or base64 of 16, 20, 32 or 64 bytes
DIGEST = (
    r"^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}"
    r"|[0-9A-Fa-f]{128}|[A-Za-z0-9+/_\-]{22}(?:==)?|[A-Za-z0-9+/_\-]{27}=?"
    r"|[A-Za-z0-9+/_\-]{43}=?|[A-Za-z0-9+/_\-]{86}(?:==)?)$"
)
PSEUDONYM = r"^P-[a-z2-7]{26}$"
SYNTHETIC = "SYN-"

LATITUDES = (-11.1, 6.1)
LONGITUDES = (94.9, 141.1)


@dataclass(frozen=True, slots=True)
class Values:
    """The distinct texts of a column.

    Attributes
    ----------
    source : arrow array
        The cells, as text or as whole numbers.
    distinct : (k,) arrow array
        The distinct ones, without missing and empty cells.
    text : (k,) arrow array of text
        The same as text.
    numeric : (k,) array of bool
        Which are digits and their separators alone.
    digits : arrow array of text
        The digits of these.
    """

    source: pa.Array
    distinct: pa.Array
    text: pa.Array
    numeric: BoolArray
    digits: pa.Array

    def __len__(self) -> int:
        return len(self.text)

    @property
    def filled(self) -> int:
        """Return the number of cells that are not missing."""
        return len(self.source) - int(self.source.null_count)

    def cells(self, chosen: BoolArray) -> int:
        """Return the number of cells of some of the distinct values."""
        wanted = self.distinct.filter(pa.array(chosen))
        return int(pc.sum(pc.is_in(self.source, value_set=wanted)).as_py() or 0)

    def none(self) -> BoolArray:
        """Return a choice of none."""
        return np.zeros(len(self), dtype=bool)

    def longest(self) -> int:
        """Return the length of the longest text in bytes."""
        return int(pc.max(pc.binary_length(self.text)).as_py() or 0)

    def holds(self, mark: str) -> bool:
        """Say whether any text holds a mark."""
        return bool(pc.any(pc.match_substring(self.text, mark)).as_py())

    def sample(self) -> pa.Array:
        """Return up to a thousand of the texts, evenly spaced."""
        step = max(1, len(self) // 1_000)
        return self.text.take(pa.array(np.arange(0, len(self), step)))

    def matches(self, pattern: str) -> BoolArray:
        """Say which texts match a pattern."""
        return matches(self.text, pattern)

    def digits_match(self, pattern: str) -> BoolArray:
        """Say which texts are digits that match a pattern from end to end."""
        out = np.zeros(len(self), dtype=bool)
        out[self.numeric] = matches(self.digits, f"^(?:{pattern})$")
        return out


def compact(texts: pa.Array) -> pa.Array:
    """Return texts without a dot, a dash or a blank between two digits."""
    return pc.replace_substring_regex(texts, r"([0-9])[ .\-]([0-9])", r"\1\2")


def matches(texts: pa.Array, pattern: str) -> BoolArray:
    """Say which texts hold a pattern."""
    found = pc.match_substring_regex(texts, pattern)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def values_of(cells: pa.Array) -> Values:
    """Return the distinct values of cells; whole numbers are written as digits."""
    runs = runs_of(cells)
    distinct = pc.unique(cells if runs is None else runs.heads)
    text = distinct if pa.types.is_large_string(distinct.type) else distinct.cast(pa.large_string())
    filled = pc.fill_null(pc.greater(pc.binary_length(text), 0), False)
    if not pc.all(filled).as_py():
        distinct, text = distinct.filter(filled), text.filter(filled)
    numeric = matches(text, DIGIT_CELL)
    digits = pc.replace_substring_regex(text.filter(pa.array(numeric)), r"\.0\s*$", "")
    digits = pc.replace_substring_regex(digits, "[^0-9]", "")
    return Values(cells, distinct, text, numeric, digits)


def texts_of(texts: list[str]) -> Values:
    """Return texts, such as value labels, as if each stood in one cell."""
    return values_of(pa.array(texts, type=pa.large_string()))


def text_cells(column: pd.Series) -> pa.Array:
    """Return the cells of a column that holds text."""
    if isinstance(column.dtype, pd.StringDtype):
        cells = pa.array(column, from_pandas=True)
        if isinstance(cells, pa.ChunkedArray):
            cells = cells.combine_chunks()
        return cells if pa.types.is_large_string(cells.type) else cells.cast(pa.large_string())
    texts = as_text(column.astype(object))
    try:
        return pa.array(texts, type=pa.large_string())
    except UnicodeEncodeError:
        clean = [None if text is None else encodable(text) for text in texts]
        return pa.array(clean, type=pa.large_string())


def encodable(value: str) -> str:
    """Return text without lone surrogates, which no encoding holds."""
    return value.encode("utf-8", "replace").decode("utf-8")


def number_cells(column: pd.Series, least: float) -> pa.Array | None:
    """Return the large whole numbers of a column; None where none reaches ``least``.

    None too where they are too few: numbers of 16 digits count whatever stands beside them, phone
    numbers must be half of the cells.
    """
    numbers = column.dropna().to_numpy()
    if numbers.dtype.kind not in "iuf":
        numbers = np.asarray(numbers, dtype=np.float64)
    if not len(numbers) or not (top := numbers.max()) >= least:
        return None
    large = numbers[(numbers >= NEARLY_LARGE) & (numbers < 1e18)]
    if top < SIXTEEN_DIGITS and len(large) * 2 < len(numbers):
        return None
    whole = large.astype(np.int64)
    return pa.array(whole[whole == large])


def all_exempt(cells: pa.Array) -> bool:
    """Say whether every filled cell is a synthetic id, or every one a pseudonym of ours."""
    at = pc.index(pc.is_valid(cells), True).as_py()
    if at < 0:
        return False
    if cells[at].as_py()[: len(SYNTHETIC)].upper() == SYNTHETIC:
        return bool(pc.all(pc.starts_with(cells, SYNTHETIC, ignore_case=True)).as_py())
    if not cells[at].as_py().startswith("P-"):
        return False
    return bool(pc.all(pc.match_substring_regex(cells, PSEUDONYM)).as_py())


def are_answers(values: Values) -> bool:
    """Say whether the values are 0 and 1, yes and no, and nothing else."""
    if len(values) > len(words().answers):
        return False
    return {str(v).strip().lower() for v in values.text.to_pylist()} <= set(words().answers)


@lru_cache(maxsize=1)
def frequent_name() -> str:
    """Return the pattern of a text with a word that is frequent in names of people."""
    return r"(?i)\b(?:" + "|".join(map(re.escape, words().frequent_names)) + r")\b"


@lru_cache(maxsize=1)
def place_word() -> str:
    """Return the pattern of a text with a word that is frequent in names of places."""
    return r"(?i)\b(?:" + "|".join(map(re.escape, words().place_words)) + r")\b"


def in_indonesia(values: Values) -> BoolArray:
    """Say which texts are a place in Indonesia: "-6.2088, 106.8456", or longitude first."""
    out = np.zeros(len(values), dtype=bool)
    candidates = values.matches(POINT)
    if not candidates.any():
        return out
    pair = pc.extract_regex(values.text.filter(pa.array(candidates)), POINT)
    a, b = (pair.field(i).cast(pa.float64()).to_numpy(zero_copy_only=False) for i in (0, 1))
    straight = _between(a, LATITUDES) & _between(b, LONGITUDES)
    out[candidates] = straight | (_between(b, LATITUDES) & _between(a, LONGITUDES))
    return out


def degrees(column: pd.Series, limits: tuple[float, float]) -> int:
    """Return the number of cells that are decimal degrees, 0 unless most are within limits."""
    if isinstance(column.dtype, pd.StringDtype) or column.dtype == object:
        column = column.astype("str").str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(column, errors="coerce").dropna().to_numpy(dtype=np.float64)
    inside = numbers[_between(numbers, limits)]
    if not len(inside) or len(inside) < 0.8 * len(numbers) or (inside == np.floor(inside)).all():
        return 0
    return len(inside)


def _between(numbers: np.ndarray, limits: tuple[float, float]) -> BoolArray:
    return np.asarray((numbers >= limits[0]) & (numbers <= limits[1]), dtype=bool)
