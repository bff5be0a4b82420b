"""Which panel do the numbers of did_peers.csv come from? Makes panel8.csv.

300 units over 8 waves, cohorts first treated at 3, 4, 6 and 7 and never (g = 0). Effects differ by
cohort and grow with time; trends differ by x1; outcomes are correlated within a unit. `seen` = 0
marks the 8 % of rows that the panel with holes leaves out. With numpy 2.4.6 and pandas 3.1.1:
``python make_panel8.py > panel8.csv``.
"""

import sys

import numpy as np
import pandas as pd

UNITS, WAVES, COHORTS = 300, 8, (0, 3, 4, 6, 7)
SHARES = (0.30, 0.20, 0.15, 0.20, 0.15)
GROWTH = {0: 0.0, 3: 0.15, 4: 0.30, 6: -0.10, 7: 0.60}  # the effect's growth a wave, by cohort


def panel():
    """Draw the panel, a row a unit and wave."""
    rng = np.random.Generator(np.random.PCG64(20_211))
    unit, wave = np.divmod(np.arange(UNITS * WAVES), WAVES)
    wave = wave + 1
    x1 = rng.normal(size=UNITS)
    x2 = (rng.random(UNITS) < 0.4).astype(float)
    g = rng.choice(COHORTS, UNITS, p=SHARES)
    level = rng.normal(size=UNITS) + 0.3 * (g > 0)
    shock = rng.normal(0.0, 0.6, (UNITS, WAVES))
    shock[:, 1:] += 0.5 * shock[:, :-1]
    since = np.where((g[unit] > 0) & (wave >= g[unit]), wave - g[unit] + 1.0, 0.0)
    effect = np.where(since > 0, 0.4, 0.0) + since * np.array([GROWTH[c] for c in g])[unit]
    y = level[unit] + 0.1 * wave + 0.05 * x1[unit] * wave + effect + shock[unit, wave - 1]
    pay = np.exp(0.5 * y + rng.normal(0.0, 0.7, len(y))) * (rng.random(len(y)) > 0.05)
    return pd.DataFrame(
        {
            "id": unit + 1,
            "t": wave,
            "g": g[unit],
            "y": y.round(6),
            "pay": (100 * pay).round(),
            "x1": x1[unit].round(6),
            "x2": x2[unit],
            "w": rng.uniform(0.4, 2.5, UNITS).round(4)[unit],
            "seen": (rng.random(len(y)) >= 0.08).astype(int),
        }
    )


if __name__ == "__main__":
    panel().to_csv(sys.stdout, index=False)
