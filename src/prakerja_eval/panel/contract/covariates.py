"""Was a covariate measured before anyone was treated? By its wave, its values and its name."""

import re
from collections.abc import Iterator

import numpy as np

from prakerja_eval.panel.contract.facts import Facts
from prakerja_eval.panel.contract.finding import Finding
from prakerja_eval.panel.roles import WaveLabel
from prakerja_eval.panel.values import plain_text

YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
MARKS = re.compile(r"[.\- ]")
# a wave of one to three digits needs its word: "income_w2", "income_round_2"
SHORT = "(?:^|_)(?:w|wave|round|t|putaran|ronde)_?"


def covariate_after_baseline(facts: Facts) -> Iterator[Finding]:
    """Find covariates that treatment may already have moved."""
    if facts.baseline is None:
        return
    after = np.arange(facts.wave.count) > facts.baseline
    for name in dict.fromkeys(facts.asked.covariates):
        column, at, wave = name.partition("^")[0].partition("@")
        if column not in facts.frame.columns:
            continue
        present = ~facts.missing(column)
        code, bad = "", np.zeros(len(present), dtype=bool)
        if at:
            chosen = np.array([str(w) == wave for w in facts.waves]) & after
            code, bad = "covariate_after_baseline", facts.wave.spread(chosen)
        elif not (some := facts.wave.any(present))[~after].any() and some.any():
            code, bad = "covariate_after_baseline.values", present
        elif _named_later(column, facts):
            code, bad = "covariate_after_baseline.name", present
        if code:
            places = {"name": name, "baseline": facts.roles.baseline}
            yield Finding(code, (column,), bad, places)


def _named_later(column: str, facts: Facts) -> bool:
    """Say whether a name ends with a wave, or a year, after the baseline."""
    after = facts.waves[(facts.baseline or 0) + 1 :]
    if any(_ends_with(column, w) for w in after):
        return True
    year = re.search(f"{YEAR.pattern}$", column)
    named = YEAR.match(plain_text(facts.roles.baseline))
    return bool(year and named and int(year[1]) > int(named[1]))


def _ends_with(column: str, wave: WaveLabel) -> bool:
    """Say whether a name ends with a wave's label; "x2" is no wave 2, "x_w2" is one."""
    name, label = (MARKS.sub("_", text.lower()) for text in (column, plain_text(wave)))
    if label.isdigit() and len(label) < 4:
        before = SHORT
    else:
        before = "(?:^|_|(?<=[a-z]))" if label[:1].isdigit() else "(?:^|_)"
    return re.search(f"{before}{re.escape(label)}$", name) is not None
