"""Which columns does a panel have? A part's people and waves as an Arrow table."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.lottery import NEVER, Assignment
from prakerja_eval.synthetic.outcomes import ANSWERS
from prakerja_eval.synthetic.people import EDUCATION, SCHOOLING
from prakerja_eval.synthetic.process import Process, Seen, crowds, observe
from prakerja_eval.synthetic.survey import told_income, told_receipt
from prakerja_eval.synthetic.take_up import cash
from prakerja_eval.typing import BoolArray, CodeArray, FloatArray, IntArray

PSU_IN_AREA = 10  # of a district, urban or rural
NEVER_LABEL = "0"


def tables(process: Process, assignment: Assignment, seed: int) -> Iterator[pa.Table]:
    """Give the panel as Arrow tables, one a chunk of people, a row a person and wave."""
    draws = Draws(seed, 0, len(assignment.first))
    near = crowds(process, assignment, draws)
    for part in draws.parts():
        yield table(observe(process, assignment, part, near), process, seed)


def as_frame(found: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as a pandas one: text as text, whole numbers with gaps as floats."""
    return found.cast(plain(found.schema)).to_pandas(types_mapper=_text_type)


def plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema with text where it has dictionaries."""
    coded = pa.types.is_dictionary
    return pa.schema([f.with_type(pa.large_string()) if coded(f.type) else f for f in schema])


def _text_type(kind: pa.DataType) -> object:
    """Return pandas' text for text, whatever Arrow calls it."""
    return pd.StringDtype(na_value=np.nan) if pa.types.is_large_string(kind) else None


def table(seen: Seen, process: Process, seed: int) -> pa.Table:
    """Return the panel of one part as an Arrow table, text as dictionaries.

    People whose household had already had its winners, and rows of waves that are missing
    altogether, are left out.
    """
    found = seen.lives
    start = found.persons.start
    part = Draws(seed, start, start + len(found.persons))
    fixed = _fixed(process, seen, part)
    by_wave = [_in_wave(process, seen, t, part) for t in range(len(seen.states))]
    n_waves = len(by_wave)
    rows = pa.array(np.repeat(np.arange(len(part), dtype=np.int32), n_waves))
    out = {name: column.take(rows) for name, column in fixed.items()}
    out |= {name: _woven([w[name] for w in by_wave]) for name in by_wave[0]}
    whole = pa.table({name: out[name] for name in ORDER})
    keep = np.repeat(_in_lottery(process, seen), n_waves)
    keep &= np.stack([c.present for c in seen.calls], axis=1).ravel()
    return whole if keep.all() else whole.filter(pa.array(keep))


def _in_lottery(process: Process, seen: Seen) -> BoolArray:
    """Return who could enter a lottery at their first application."""
    return np.asarray(seen.lives.assignment.block != NEVER)


def _fixed(process: Process, seen: Seen, part: Draws) -> dict[str, pa.Array]:
    """Return what does not change from wave to wave, by name; text as Arrow dictionaries."""
    who, given = seen.lives.persons, seen.lives.assignment
    entries = process.batches.entries
    place = np.arange(part.start, part.stop)
    district = who.district
    u = part.uniform("survey.psu")[who.household - part.start]  # a household lies in one PSU
    psu = (2 * district + who.urban) * PSU_IN_AREA + np.floor(u * PSU_IN_AREA)
    area = [f"{name}, {kind}" for name in process.places.names for kind in ("rural", "urban")]
    return {
        "person_id": numbered("SYN-", place + 1, 8),
        "household": numbered("SYN-H", who.household + 1, 8),
        "province": coded(who.province, process.places.names),
        "district": numbered("SYN-D", district + 1, 4),
        "psu": numbered("SYN-P", psu.astype(np.int64) + 1, 5),
        "survey_stratum": coded(2 * who.province + who.urban, area),
        "weight": pa.array(who.weight),
        "urban": flag(who.urban),
        "female": flag(who.female),
        "age": pa.array(who.age, pa.int16()),
        "education": coded(who.education, EDUCATION),
        "schooling": pa.array(SCHOOLING[who.education], pa.int16()),
        "disability": flag(who.disability),
        "return_migrant": flag(who.return_migrant),
        "smartphone": flag(who.smartphone),
        "priority": flag(who.priority),
        "batch": pa.array(np.array([e.number for e in entries])[given.first], pa.int16()),
        "block": coded(np.maximum(given.block, 0), given.blocks),
        "propensity": pa.array(np.asarray(given.propensity, dtype=np.float64)),
        "offer": flag(given.offer),
        "cohort": coded(*_cohorts(process, seen)),
    }


def _cohorts(process: Process, seen: Seen) -> tuple[IntArray, list[str]]:
    """Return the first wave in which each person has received, and the labels; 0 is never."""
    survey = process.scenario.survey
    wave = np.searchsorted(np.array(survey.months), seen.lives.receipt.month)
    n_waves = len(survey.months)
    return np.where(wave == n_waves, 0, wave + 1), [NEVER_LABEL, *survey.waves]


def _in_wave(process: Process, seen: Seen, t: int, part: Draws) -> dict[str, pa.Array]:
    """Return what belongs to one wave, by name."""
    scenario, found = process.scenario, seen.lives
    survey, receipt = scenario.survey, found.receipt
    wave, month = survey.waves[t], survey.months[t]
    state, calls = seen.states[t], seen.calls[t]
    answered = calls.responded
    received, won = receipt.month <= month, receipt.won <= month
    income = state.income.astype(np.float64)
    if wave > survey.baseline:
        income = told_income(survey, state.income, wave, part)
    paid = cash(scenario.take_up, receipt, month)
    told = told_receipt(survey, wave, received, won, part)
    out = {
        "wave": coded(np.full(len(part), t), survey.waves),
        "won": flag(won),
        "applications": pa.array(_applications(process, found.assignment.applications, month)),
        "received": flag(received),
        "on_record": flag(receipt.on_record <= month),
        "reported_receipt": answer(told, answered),
        "income": amount(income, answered),
        "income_gross": amount(income + paid, answered),
        "programme_cash": pa.array(paid),
        "mode": coded(np.zeros(len(part), dtype=np.int64), [survey.how(wave)]),
        "responded": flag(answered),
        "attempts": pa.array(calls.attempts, pa.int16()),
    }
    return out | {name: answer(getattr(state, name), answered) for name in ANSWERS}


def _applications(process: Process, bits: CodeArray, month: int) -> CodeArray:
    """Return how often each person has applied by a month."""
    count = np.zeros(len(bits), dtype=np.int16)
    for k, opened in enumerate(process.batches.months):
        if opened <= month:
            count += ((bits >> k) & 1).astype(np.int16)
    return count


def numbered(prefix: str, number: CodeArray, width: int) -> pa.Array:
    """Return ids such as "SYN-00000001" as an Arrow dictionary."""
    used, code = np.unique(number, return_inverse=True)
    letters = np.frombuffer(prefix.encode(), dtype=np.uint8)
    cells = np.empty((len(used), len(letters) + width), dtype=np.uint8)
    cells[:, : len(letters)] = letters
    for k in range(width):
        cells[:, -1 - k] = ord("0") + used // 10**k % 10
    ends = np.arange(len(used) + 1, dtype=np.int32) * cells.shape[1]
    names = pa.StringArray.from_buffers(len(used), pa.py_buffer(ends), pa.py_buffer(cells))
    return pa.DictionaryArray.from_arrays(pa.array(code, pa.int32()), names)


def coded(code: CodeArray, names: Sequence[str]) -> pa.Array:
    """Return text by code, as an Arrow dictionary."""
    return pa.DictionaryArray.from_arrays(pa.array(code, pa.int32()), pa.array(list(names)))


def flag(values: BoolArray) -> pa.Array:
    """Return 1 and 0."""
    return pa.array(np.asarray(values).astype(np.int8))


def answer(values: BoolArray | IntArray, answered: BoolArray) -> pa.Array:
    """Return answers as whole numbers, empty where nobody answered."""
    return pa.array(np.asarray(values).astype(np.int8), mask=~answered)


def amount(values: FloatArray, answered: BoolArray) -> pa.Array:
    """Return amounts in whole rupiah, empty where nobody answered or told."""
    silent = ~answered | np.isnan(values)
    return pa.array(np.where(silent, 0, values).astype(np.int64), mask=silent)


def _woven(columns: Sequence[pa.Array]) -> pa.Array:
    """Return the waves' columns person by person."""
    n, n_waves = len(columns[0]), len(columns)
    order = np.arange(n * n_waves, dtype=np.int32).reshape(n_waves, n).T.ravel()
    return pa.concat_arrays(columns).take(pa.array(order))


ORDER = (
    "person_id",
    "wave",
    "household",
    "province",
    "district",
    "psu",
    "survey_stratum",
    "weight",
    "urban",
    "female",
    "age",
    "education",
    "schooling",
    "disability",
    "return_migrant",
    "smartphone",
    "priority",
    "batch",
    "block",
    "propensity",
    "offer",
    "won",
    "applications",
    "cohort",
    "received",
    "on_record",
    "reported_receipt",
    "mode",
    "responded",
    "attempts",
    *ANSWERS,
    "income",
    "programme_cash",
    "income_gross",
)
