"""How fast is a blocked ITT with HC2 beside the named peers, at three sizes, in one run?

The same number three ways: this package's blocked difference in means, panel checks included, and
statsmodels' and linearmodels' regressions on the saturated design. CPU seconds, best of three, and
the ratio peer / ours. Run it with `make bench`.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import statsmodels.api as sm
from linearmodels.iv import IV2SLS

import prakerja_eval as pe

BLOCKS = 24
SIZES = (2_000, 20_000, 100_000)


def population(n: int) -> pd.DataFrame:
    """Draw a blocked lottery with odds from .1 to .6."""
    rng = np.random.Generator(np.random.PCG64(7))
    block = rng.integers(0, BLOCKS, n)
    won = (rng.random(n) < np.linspace(0.1, 0.6, BLOCKS)[block]).astype(int)
    income = rng.gamma(2.0, 1.0, n) + 0.2 * won + 0.05 * block
    ids = [f"SYN-{i:06d}" for i in range(n)]
    return pd.DataFrame({"person_id": ids, "block": block, "won": won, "income": income})


def dummies(frame: pd.DataFrame) -> np.ndarray:
    """Return block dummies and the arm's interactions with centred ones."""
    d = np.eye(BLOCKS)[frame["block"]]
    return np.column_stack(
        [frame["won"], d, frame["won"].to_numpy()[:, None] * (d - d.mean(0))[:, 1:]]
    )


def ours(frame: pd.DataFrame) -> tuple[float, float]:
    """Read, check and estimate by the public names."""
    panel = pe.read_panel(frame, pe.Roles(unit="person_id", offer="won", blocks="block"))
    row = pe.lottery.itt(panel, "income").findings().frame.iloc[0]
    return row["estimate"], row["std_error"]


def with_statsmodels(frame: pd.DataFrame) -> tuple[float, float]:
    """Regress on the saturated design with HC2."""
    fit = sm.OLS(frame["income"].to_numpy(), dummies(frame)).fit(cov_type="HC2")
    return fit.params[0], fit.bse[0]


def with_linearmodels(frame: pd.DataFrame) -> tuple[float, float]:
    """Regress on the saturated design with HC1, which linearmodels has instead of HC2."""
    fit = IV2SLS(frame["income"], dummies(frame), None, None).fit(cov_type="robust", debiased=True)
    return fit.params.iloc[0], fit.std_errors.iloc[0]


def cpu(call: Callable[[pd.DataFrame], tuple[float, float]], frame: pd.DataFrame) -> float:
    """Return the best CPU seconds of three."""
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        call(frame)
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    """Print one line a size."""
    peers = {"statsmodels": with_statsmodels, "linearmodels": with_linearmodels}
    print("rows      ours s   " + "  ".join(f"{name} s (ratio)" for name in peers))
    for n in SIZES:
        frame = population(n)
        mine, theirs = ours(frame), with_statsmodels(frame)
        np.testing.assert_allclose(mine, theirs, rtol=1e-8)
        base = cpu(ours, frame)
        cells = [f"{t:8.3f} ({t / base:5.2f})" for t in (cpu(p, frame) for p in peers.values())]
        print(f"{n:<9,} {base:7.3f}   " + "     ".join(cells))


if __name__ == "__main__":
    main()
