"""How are findings kept, so that a machine reads back exactly what was computed?"""

import json
import math
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError
from prakerja_eval.estimate import Findings
from prakerja_eval.tables import csv_text, hide_small

Value: TypeAlias = str | int | float | bool | None
NAME = "findings"


def published(findings: Findings) -> list[dict[str, Value]]:
    """Return the rows as plain values in study order, counts under ten people hidden."""
    records = hide_small(findings.frame).to_dict(orient="records")
    return [{str(k): _plain(v) for k, v in row.items()} for row in records]


def write_findings(findings: Findings, folder: Path) -> None:
    """Write ``findings.csv`` and ``findings.json`` in full precision.

    A missing number is empty in the one and null in the other; infinite degrees of freedom are
    "inf" in both.
    """
    rows = published(findings)
    columns = [str(c) for c in findings.frame.columns]
    lines = [",".join(_quoted(c) for c in columns)]
    lines += [",".join(_quoted(csv_text(row[c])) for c in columns) for row in rows]
    (folder / f"{NAME}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept = [{k: str(v) if _infinite(v) else v for k, v in row.items()} for row in rows]
    text = json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (folder / f"{NAME}.json").write_text(text, encoding="utf-8")


def read_findings(folder: Path) -> list[dict[str, Value]]:
    """Read ``findings.json`` back.

    Raises
    ------
    DataError
        If it is missing or damaged.
    """
    path = folder / f"{NAME}.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [{str(k): _number(v) for k, v in row.items()} for row in rows]
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path.name} of the report is missing or damaged: bring back the committed one, or "
            "write the report anew."
        ) from error


def _plain(value: object) -> Value:
    """Return a Python value; None where nothing is known."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _infinite(value: Value) -> bool:
    return isinstance(value, float) and math.isinf(value)


def _number(value: Value) -> Value:
    return float(value) if value in ("inf", "-inf") else value


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n\r') else text
