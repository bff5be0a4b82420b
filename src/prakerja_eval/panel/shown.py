"""May a column's name or a wave's label stand in a message? Not where it could be a person's."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from prakerja_eval.panel.values import plain_text

# Codes of provinces: Kemendagri (91-96 in Papua) and BPS (91, 92, 94-97) together.
PROVINCE = "(?:1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-7])"
_REGION = PROVINCE + r"(?:0[1-9]|[1-9][0-9]){2}"
_DATES = (
    r"(?:0[1-9]|[12][0-9]|3[01]|4[1-9]|[56][0-9]|7[01])(?:0[13578]|1[02])[0-9]{2}",
    r"(?:0[1-9]|[12][0-9]|30|4[1-9]|[56][0-9]|70)(?:0[469]|11)[0-9]{2}",
    r"(?:0[1-9]|1[0-9]|2[0-8]|4[1-9]|5[0-9]|6[0-8])02[0-9]{2}",
    r"[26]902(?:[02468][048]|[13579][26])",
)
_SERIAL = r"(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
NIK = f"{_REGION}(?:{'|'.join(_DATES)}){_SERIAL}"
MOBILE_WRITTEN = (
    r"(?:\+?62[ .\-]?|0)8[1-9][0-9](?:[ .\-]?[0-9]){5,9}"  # 0812-3456-7890, +62 812 3456 7890
)
EMAIL = r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}"

LONGEST_NAME = 1_000  # the search takes the square of a name's length

# 2021, 2021-02, 202102, 2021Q1, 2021-02-28T13:45:00, 28/02/2021, -999 to 999, no name at all
PERIOD = re.compile(
    r"(?:19|20)\d{2}(?:-?Q[1-4]|-\d|-?\d{2}(?:-?\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?)?)?"
    r"|\d{1,2}([/.-])\d{1,2}\1\d{2}(?:\d{2})?|-?\d{1,3}(?:\.\d{1,3})?|"
)
WORD = re.compile(r"[^\W\d_](?:[\w .,()/-]{0,23})")
MOST_WORDS = 12
MOST_DIGITS = 4  # of a wave's name: "wave 2", "Agustus 2021"
PERSON = re.compile(r"[A-Z][A-Za-z.'-]*(?:[ ,]+[A-Z][A-Za-z.'-]*){1,4}")
HOUSE = re.compile(
    r"(?i)(?:^|[^a-z])(?:(?:jln?\.?|jalan)\s+\S.*[0-9]|rt\.?\s*[0-9]{1,3}\s*/?\s*rw)"
)


@lru_cache(maxsize=4096)
def header_kind(name: str) -> str | None:
    """Return the kind of identifier that a column's name itself holds, if any."""
    for kind, pattern in (("email", EMAIL), ("nik", NIK), ("phone", MOBILE_WRITTEN)):
        if re.search(rf"(?:^|[^0-9])(?:{pattern})(?:$|[^0-9])", name[:LONGEST_NAME]):
            return kind
    return None


def like_a_person(text: str) -> bool:
    """Say whether a text is like "Siti Aminah" or "Jl. Melati 5": capitals, and a frequent name."""
    short = text.strip()[:LONGEST_NAME]
    if HOUSE.search(short):
        return True
    return bool(PERSON.fullmatch(short)) and _frequent(short)


def _frequent(text: str) -> bool:
    from prakerja_eval.panel.privacy.naming import words  # which imports what imports this

    parts = re.split(r"[^a-z]+", text.lower())
    return not set(words().frequent_names).isdisjoint(parts)


def shown_names(names: Iterable[object]) -> list[str]:
    """Return column names for a message; "column 5" for one that could be a person's data."""
    return [
        f"column {i}" if header_kind(name) or like_a_person(name) else name
        for i, name in enumerate(map(str, names), 1)
    ]


def are_periods(labels: Sequence[object]) -> bool:
    """Say whether labels are like names of waves: periods, small numbers, or a few short words."""
    words = [t for t in map(plain_text, labels) if not PERIOD.fullmatch(t.strip())]
    return len(words) <= MOST_WORDS and all(map(_short_word, words))


def _short_word(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    return (
        WORD.fullmatch(text.strip()) is not None and digits <= MOST_DIGITS and not _frequent(text)
    )


def shown_waves(labels: Sequence[object], most: int | None = None) -> str:
    """Return the labels of waves for a message; only how many where they are like no waves."""
    if not are_periods(labels):
        return f"{len(labels):,} distinct values, which look like no periods and so are not shown"
    return ", ".join(map(plain_text, list(labels)[:most]))
