"""How far did each cohort's path of wave effects move from that of the comparison group?

Sun and Abraham (2021), doi 10.1016/j.jeconom.2020.09.006: unit effects, wave effects and an
indicator of every cohort and wave but the base. With that many indicators a cohort's observations
are fitted by unit effects and a path of wave effects of their own, mu_gt, and the common wave
effects lambda_t by the comparison group alone. The coefficients are
(mu_gt - mu_gb) - (lambda_t - lambda_b), b the base: two small regressions.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.did.kernel_imputation import Links, links
from prakerja_eval.did.kernel_twfe import two_way
from prakerja_eval.numerics.moments import GroupMoments, Loadings
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Saturated:
    """Effects by cohort and wave.

    Attributes
    ----------
    loadings : Loadings
        theta is NaN where observations do not link the wave to the base in both groups.
    n_treated, n_comparison : (K,) int
        Units that take part: seen in two linked waves or more.
    fewest : (K,) int
        Units that take part and are seen in the wave, or in the base, in the smaller group.
    after : (K,)
        Mean of the cohort's units that take part, in the wave.
    """

    loadings: Loadings
    n_treated: IntArray
    n_comparison: IntArray
    fewest: IntArray
    after: FloatArray


@dataclass(frozen=True, slots=True)
class _Path:
    """Wave effects of one group: its rows among the cells (c,), and loadings, T of them."""

    rows: IntArray
    seen: BoolArray
    linked: Links
    loadings: Loadings

    def takes_part(self, t: int, b: int) -> BoolArray:
        """Say which of the group's cells (c,) the change from b to t is fitted on."""
        linked = self.linked.wave[t] == self.linked.wave[b] >= 0
        return np.asarray(
            linked & (self.linked.cell == self.linked.wave[t]) & (self.seen.sum(axis=1) > 1)
        )

    def change(self, t: int, b: int) -> tuple[float, FloatArray, FloatArray]:
        """Return the change of wave effects from b to t, its level (c,) and slope (c, T)."""
        linked = self.linked.wave[t] == self.linked.wave[b] >= 0
        fit = self.loadings
        value = float(fit.theta[t] - fit.theta[b]) if linked else np.nan
        return value, fit.level[:, t] - fit.level[:, b], fit.slope[:, :, t] - fit.slope[:, :, b]


def saturated(
    cells: GroupMoments, seen: BoolArray, groups: BoolArray, asked: IntArray
) -> Saturated:
    """Compare the paths of cohorts with that of the comparison group.

    Parameters
    ----------
    cells : GroupMoments
        C cells over T waves.
    seen : (C, T) bool
        Observations in use.
    groups : (A, C) bool
        Cells of the comparison group, then of each cohort; no cell belongs to two.
    asked : (K, 3) int
        Group, wave and base of each effect.
    """
    paths = [_path(cells, seen, rows) for rows in groups]
    n_cells, n_waves = seen.shape
    k_total = len(asked)
    theta, after = np.zeros(k_total), np.zeros(k_total)
    level, slope = np.zeros((n_cells, k_total)), np.zeros((n_cells, n_waves, k_total))
    used = np.zeros((n_cells, k_total), dtype=bool)
    counts = np.zeros((3, k_total), dtype=np.int64)
    for k, (a, t, b) in enumerate(asked):
        sides = []
        for path, sign in ((paths[a], 1.0), (paths[0], -1.0)):
            inside = path.rows[path.takes_part(t, b)]
            used[inside, k] = True
            sides.append(inside)
            value, at_level, at_slope = path.change(t, b)
            theta[k] += sign * value
            level[path.rows, k] = sign * at_level
            slope[path.rows, :, k] = sign * at_slope
        present = [side[seen[side, wave]] for side in sides for wave in (t, b)]
        counts[:2, k] = [cells.n[side].sum() for side in sides]
        counts[2, k] = min(cells.n[rows].sum() for rows in present)
        after[k] = _mean(cells, present[0], t)
    return Saturated(
        Loadings(theta, cells.mean, level, slope, used), counts[0], counts[1], counts[2], after
    )


def _path(cells: GroupMoments, seen: BoolArray, member: BoolArray) -> _Path:
    """Fit unit and wave effects on one group."""
    rows = np.flatnonzero(member)
    inside = seen[rows]
    none = np.zeros((*inside.shape, 0))
    fit = two_way(cells.weight[rows], cells.mean[rows], inside, none)
    return _Path(rows, inside, links(inside), fit)


def _mean(cells: GroupMoments, rows: IntArray, wave: int) -> float:
    weight = cells.weight[rows]
    return float(weight @ cells.mean[rows, wave] / weight.sum()) if rows.size else np.nan
