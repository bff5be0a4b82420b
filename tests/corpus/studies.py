"""The study file that asks of an entry what the library is asked: the same roles and options."""

import json
from dataclasses import asdict, fields

from prakerja_eval import ReadOptions, Roles

from .asking import Asking

UNITS = {"income": "rupiah"}


def study_of(asking: Asking, name: str) -> str:
    """A study file with an estimate of each design, so that faults of all designs are told."""
    lines = [
        'title = "Corpus"',
        'question = "Is the file found faulty?"',
        'about = "Invented people."',
        f"data = {json.dumps(name + asking.ending)}",
        'spillovers = "None."',
        "synthetic = true",
        "[roles]",
    ]
    lines += [f"{key} = {toml(value)}" for key, value in given(asking.roles, Roles("x"))]
    lines += ["[reading]"]
    for key, value in given(asking.options, ReadOptions()):
        named = value.format(name) if key in ("codebook", "mapping") else value
        lines.append(f"{key} = {toml(named)}")
    for column in asking.outcomes:
        unit = UNITS.get(column, "share")
        lines += ["[[outcomes]]", f'column = "{column}"', f'label = "{column}"', f'unit = "{unit}"']
    for estimator in ("lottery.itt", "did.two_by_two", "matching.att"):
        short = estimator.partition(".")[0]
        lines += ["[[estimates]]", f'name = "{short}"', f'label = "{short}"']
        lines += [f'estimator = "{estimator}"']
    lines += [f"covariates = {toml(asking.covariates)}"]
    return "\n".join(lines) + "\n"


def given(chosen, default):
    """What differs from the defaults, in order; the unit always."""
    for item in fields(chosen):
        value = getattr(chosen, item.name)
        told = item.name == "unit" or value != getattr(default, item.name)
        if told and value is not None:
            yield item.name, value


def toml(value) -> str:
    """A value in TOML."""
    if hasattr(value, "stubs"):
        inner = ", ".join(f"{k} = {toml(v)}" for k, v in asdict(value).items())
        return f"{{ {inner} }}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
