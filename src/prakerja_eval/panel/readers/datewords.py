"""Which parts does a written date have? Year, month, day and time, by its shape alone."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prakerja_eval.typing import BoolArray, IntArray

TIME = (
    r"(?:(?:T| +)(?P<H>[0-9]{1,2})[:.](?P<M>[0-9]{2})(?:[:.](?P<S>[0-9]{2})(?:[.,]0+)?)?"
    r" ?(?P<p>[AaPp]\.?[Mm]\.?)?)?$"
)
DAY, WORD, YEAR = r"[0-9]{1,2}", r"[A-Za-z]{3,9}", r"[0-9]{4}"
YEAR_FIRST = (
    rf"^(?P<y>{YEAR})-(?P<b>{DAY})-(?P<a>{DAY}){TIME}",
    rf"^(?P<y>{YEAR})/(?P<b>{DAY})/(?P<a>{DAY}){TIME}",
)
YEAR_LAST = tuple(rf"^(?P<a>{DAY}){m}(?P<b>{DAY}){m}(?P<y>{YEAR}){TIME}" for m in ("/", "-", r"\."))
WORDED = (
    rf"^(?P<a>{DAY})[ -](?P<w>{WORD})[ -](?P<y>{YEAR}){TIME}",
    rf"^(?P<w>{WORD}) (?P<a>{DAY}),? (?P<y>{YEAR}){TIME}",
)
MONTHLY = rf"^(?P<y>{YEAR})-(?P<b>[0-9]{{2}})$"
MONTH_WORD = rf"^(?P<w>{WORD})[ -](?P<y>{YEAR})$"
QUARTER = rf"^(?P<y>{YEAR})-?Q[1-4]$"
SHAPES = {
    "found": (*YEAR_FIRST, *WORDED),
    "numeric": YEAR_LAST,
    "month": (MONTHLY, MONTH_WORD),
    "quarter": (QUARTER,),
}
SHORT = rf"^(?:{DAY}(?:/{DAY}/|-{DAY}-|\.{DAY}\.)[0-9]{{2}}|{DAY}[ -]{WORD}[ -][0-9]{{2}})$"

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januari january jan",
            "februari february pebruari feb peb",
            "maret march mar",
            "april apr",
            "mei may",
            "juni june jun",
            "juli july jul",
            "agustus august agu ags agt aug",
            "september sept sep",
            "oktober october okt oct",
            "november nopember nov nop",
            "desember december des dec",
        ),
        start=1,
    )
    for name in names.split()
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of distinct cells, arrays of one length; 0 where a cell has no such part.

    Attributes
    ----------
    found : array of bool
        Cells in the shape of a date.
    numeric : array of bool
        Cells such as 03/04/2021, in which the order of day and month is not written.
    month_only, quarter, short, timed : array of bool
        "2021-02" and "May 2021"; "2021Q1"; years of two digits; cells with a time.
    year, first, second, seconds : array of int
        ``first`` is the day unless the order is that of month and day; ``seconds`` since midnight,
        -1 for a time that does not exist.
    """

    found: BoolArray
    numeric: BoolArray
    month_only: BoolArray
    quarter: BoolArray
    short: BoolArray
    timed: BoolArray
    year: IntArray
    first: IntArray
    second: IntArray
    seconds: IntArray

    def in_order(self, order: str) -> tuple[IntArray, IntArray]:
        """Return days and months, the numeric cells read in an order ("dmy", "mdy")."""
        turned = self.numeric & (order == "mdy")
        day = np.where(turned, self.second, self.first)
        return day, np.where(turned, self.first, self.second)

    def exist(self, order: str) -> BoolArray:
        """Say which dates exist, the numeric cells read in an order."""
        day, month = self.in_order(order)
        real = (self.year >= 1) & (month >= 1) & (month <= 12) & (self.seconds >= 0)
        start = months_of(self.year, np.clip(month, 1, 12))
        length = ((start + 1).astype("M8[D]") - start.astype("M8[D]")).astype(np.int64)
        real_day = (day >= 1) & (day <= length)
        return np.asarray((real & (real_day | self.month_only)) | self.quarter)


def months_of(year: IntArray, month: IntArray) -> np.ndarray:
    """Return datetime64 months."""
    january: np.ndarray = np.asarray(year - 1970).astype("M8[Y]").astype("M8[M]")
    return np.asarray(january + (month - 1))


def parts_of_dates(words: pa.Array) -> Parts:
    """Take distinct cells apart.

    Parameters
    ----------
    words : Array of str
        Without null.
    """
    n = len(words)
    numbers = {k: np.zeros(n, dtype=np.int64) for k in ("y", "a", "b", "seconds")}
    flags = {k: np.zeros(n, dtype=bool) for k in ("found", "numeric", "month", "quarter", "timed")}
    for flag, patterns in SHAPES.items():
        for pattern in patterns:
            groups = pc.extract_regex(words, pattern)
            hit = np.asarray(groups.is_valid()) & ~flags["found"]
            parts = _take_apart(groups.filter(pa.array(hit)))
            for key, values in parts.items():
                into = flags if key == "timed" else numbers
                into[key][hit] = values
            if "b" in parts:  # a word that is no month makes no date
                hit[hit] = (parts["b"] > 0) | ("(?P<w>" not in pattern)
            flags["found"] |= hit
            flags[flag] |= hit
    short = np.asarray(pc.match_substring_regex(words, SHORT), dtype=bool)
    return Parts(
        flags["found"] | short,
        flags["numeric"],
        flags["month"],
        flags["quarter"],
        short,
        flags["timed"],
        numbers["y"],
        numbers["a"],
        numbers["b"],
        numbers["seconds"],
    )


def _take_apart(groups: pa.StructArray) -> dict[str, np.ndarray]:
    """Return the numbers in the named groups of a pattern."""
    fields = {f.name: np.array(groups.field(f.name).to_pylist(), dtype=object) for f in groups.type}
    parts: dict[str, np.ndarray] = {
        k: fields[k].astype(np.int64) for k in ("y", "a", "b") if k in fields
    }
    if "w" in fields:
        parts["b"] = _months(fields["w"])
    if "H" in fields:
        parts |= {"timed": fields["H"] != "", "seconds": _seconds(fields)}
    return parts


def _months(words: np.ndarray) -> IntArray:
    """Return the number of each month word, 0 for any other word."""
    return np.array([MONTHS.get(w.lower(), 0) for w in words], dtype=np.int64)


def _seconds(fields: dict[str, np.ndarray]) -> IntArray:
    """Return the seconds since midnight, 0 without a time, -1 for a time that does not exist."""
    whole = {k: np.where(fields[k] == "", "0", fields[k]).astype(np.int64) for k in "HMS"}
    half = np.array([v[:1].lower() for v in fields["p"]], dtype=object)
    hour = whole["H"]
    bad = (hour > 23) | (whole["M"] > 59) | (whole["S"] > 59)
    bad |= (half != "") & ((hour < 1) | (hour > 12))
    hour = np.where(half != "", hour % 12 + 12 * (half == "p"), hour)
    return np.where(bad, -1, hour * 3600 + whole["M"] * 60 + whole["S"])
