"""Columns that tell who people are, all invented, and written when the tests run.

Nothing in the tree looks like an identifier: numbers and names are put together here.
"""

from dataclasses import replace

import pandas as pd

from prakerja_eval.errors import IdentifierError

from .asking import Asking, Change, Entry, csv
from .base import monthly
from .texts import read

NAMES = ("Siti", "Budi", "Dewi", "Agus", "Sri", "Wahyu", "Ratna", "Eko")
LAST = ("Lestari", "Santoso", "Wati", "Setiawan")


def written(frame: pd.DataFrame):
    """Write the bytes later, so that no such file is committed."""
    data = csv(frame)
    return lambda path: path.write_bytes(data)


def column(name: str, of_person) -> Change:
    """One more column, the same in all rows of a person."""

    def change(asking: Asking) -> Asking:
        cells = [of_person(r // 3) for r in range(96)]
        return replace(asking, frame=asking.frame.assign(**{name: cells}), write=written)

    return change


def nik(k: int) -> str:
    """A number in the form of an identity card's: region, day of birth (+ 40 for women), number."""
    day = k % 28 + 1 + 40 * (k % 2)
    return f"3275{k % 7 + 1:02d}{day:02d}{k % 12 + 1:02d}{70 + k % 29}{k + 1:04d}"


def person(k: int) -> str:
    return f"{NAMES[k % 8]} {LAST[k // 8]}"


def identifier(name: str, says: str, kind: str, columns: dict) -> Entry:
    """Columns of one kind, left out as advised."""

    def spoil(asking: Asking) -> Asking:
        for label, of_person in columns.items():
            asking = column(label, of_person)(asking)
        return asking

    shown = tuple((c, kind) for c in columns)
    words = ("drop=", *(repr(c) for c in columns))
    remedy = read(drop=tuple(columns))
    return Entry(name, says, monthly, spoil, remedy, (), IdentifierError, words, shown)


PEOPLE = (
    identifier("nik", "identity numbers", "nik", {"nik": nik}),
    identifier("nik_by_another_name", "identity numbers named 'code'", "nik", {"code": nik}),
    identifier("phone", "mobile numbers", "phone", {"no_hp": lambda k: f"0812{55_000_000 + k}"}),
    identifier(
        "phone_in_a_remark",
        "a mobile number in free text",
        "phone",
        {"remark": lambda k: "call " + f"0812{55_000_000 + k}" if k == 3 else f"visit {k % 3}"},
    ),
    identifier("email", "e-mail addresses", "email", {"contact": lambda k: f"p{k}@example.org"}),
    identifier("names", "names of people", "name", {"nama": person}),
    identifier("names_by_another_name", "names in 'col9'", "name", {"col9": person}),
    identifier(
        "address", "addresses", "address", {"alamat": lambda k: f"Jl. Mawar No. {k + 1} RT 02"}
    ),
    identifier(
        "coordinates",
        "where people live",
        "coordinates",
        {
            "latitude": lambda k: -6.2 - k / 1_000 - 0.000_013,
            "longitude": lambda k: 106.8 + k / 1_000 + 0.000_017,
        },
    ),
    identifier(
        "account",
        "bank accounts",
        "account",
        {"no_rekening": lambda k: f"70{k:03d}5{k % 7}{k % 9}12"},
    ),
)
