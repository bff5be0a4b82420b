"""How ``nsw.csv`` is made from the files that the causaldata package ships.

Run ``python data/nsw/build.py`` from the root of the project; ``README.md`` beside this file says
what the columns are. The same release of causaldata gives the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

TARGET = Path(__file__).resolve().parent / "nsw.csv"

COLUMNS = (
    "person_id",
    "sample",
    "year",
    "offered",
    "trained",
    "first_year",
    "age",
    "education",
    "black",
    "hispanic",
    "married",
    "nodegree",
    "earnings",
    "employed",
)

#: The source's earnings column of each year of the panel.
EARNINGS = {1974: "re74", 1975: "re75", 1978: "re78"}

#: The source's names of the baseline columns, in the order of ``COLUMNS``.
BASELINE = ("age", "educ", "black", "hisp", "marr", "nodegree")

FIRST_YEAR_AFTER_TRAINING = 1978


def people() -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
    """Yield (id, sample, trained, source row) in the order of the source files."""
    from causaldata import cps_mixtape, nsw_mixtape

    experiment = nsw_mixtape.load_pandas().data.to_dict("records")
    for number, row in enumerate(experiment, start=1):
        trained = int(row["treat"]) == 1
        yield f"NSW-{number:03d}", "nsw_treated" if trained else "nsw_control", trained, row
    survey = cps_mixtape.load_pandas().data.to_dict("records")
    for number, row in enumerate(survey, start=1):
        yield f"CPS-{number:05d}", "cps", False, row


def rows() -> Iterator[tuple[object, ...]]:
    """Yield one row of the panel a person and year."""
    for person_id, sample, trained, source in people():
        first_year = FIRST_YEAR_AFTER_TRAINING if trained else 0
        baseline = tuple(int(source[name]) for name in BASELINE)
        for year, column in EARNINGS.items():
            # The shortest decimal that is the source's float32: the figure as first published.
            dollars = np.float32(source[column])
            employed = int(dollars > 0)
            yield (
                person_id,
                sample,
                year,
                int(trained),
                int(trained and year >= FIRST_YEAR_AFTER_TRAINING),
                first_year,
                *baseline,
                np.format_float_positional(dollars, unique=True, trim="0"),
                employed,
            )


def build() -> bytes:
    """Return the whole file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows())
    return text.getvalue().encode("ascii")


if __name__ == "__main__":
    TARGET.write_bytes(build())
    print(f"wrote {TARGET.name}: {TARGET.stat().st_size:,} bytes")
