"""What stands behind a parameter: the regression or matching that leverage corrections need.

The influence ψ of a parameter is kept as the law gives it. A *term* keeps, beside ψ, what the
finite-sample corrections work on: rows of a regression with their residuals and leverage, or the
two Abadie-Imbens variances of a matching estimate. Corrections are additive on ψ, so that contrasts
and joins carry them along.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray, IntArray

FULL_LEVERAGE = 1.0 - 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class LinearFit:
    """A weighted least-squares problem: b = M X'W y with M = (X'WX)^-1.

    X has the one-hot coding of ``cells`` first, then the columns of ``design``; one of the two may
    be absent. Cells are never written out as columns, so that thousands of them cost nothing.

    Attributes
    ----------
    residuals, weights : (m,) arrays
        A row an observation.
    bread : (p, p) array
        M.
    rows : (m,) int array
        Position of each row's unit in ``Estimate.units``.
    design : (m, k) array, optional
        The columns of X that are written out.
    cells : (m,) int array, optional
        Cell of each row: blocks, or arms of blocks.
    """

    residuals: FloatArray
    weights: FloatArray
    bread: FloatArray
    rows: IntArray
    design: FloatArray | None = None
    cells: IntArray | None = None

    @property
    def n_rows(self) -> int:
        """Return the number of rows with positive weight."""
        return int(np.count_nonzero(self.weights))

    @property
    def n_parameters(self) -> int:
        """Return p."""
        return len(self.bread)

    @property
    def n_cells(self) -> int:
        """Return the number of cells, the first columns of X."""
        written = 0 if self.design is None else self.design.shape[1]
        return self.n_parameters - written

    @property
    def cell_means(self) -> bool:
        """Say whether X codes cells and nothing else."""
        return self.cells is not None and self.design is None

    def block(self, select: IntArray) -> FloatArray:
        """Return the rows of X at the positions ``select``, dense."""
        out = np.zeros((len(select), self.n_parameters))
        if self.cells is not None:
            out[np.arange(len(select)), self.cells[select]] = 1.0
        if self.design is not None:
            out[:, self.n_cells :] = self.design[select]
        return out

    def local(self, select: IntArray) -> tuple[FloatArray, IntArray]:
        """Return the rows of X at ``select`` in the columns that are not all zero there."""
        columns = np.arange(self.n_cells, self.n_parameters)
        parts = []
        if self.cells is not None:
            present, cell = np.unique(self.cells[select], return_inverse=True)
            columns = np.concatenate([present, columns])
            parts.append(cell[:, None] == np.arange(len(present)))
        if self.design is not None:
            parts.append(self.design[select])
        return np.hstack(parts).astype(np.float64), columns

    def times(self, direction: FloatArray) -> FloatArray:
        """Return X d, (m,)."""
        out = np.zeros(len(self.weights))
        if self.cells is not None:
            out += direction[self.cells]
        if self.design is not None:
            out += self.design @ direction[self.n_cells :]
        return out

    def project(self, contrast: FloatArray) -> FloatArray:
        """Return X M c, (m,): how much a unit residual moves c'b."""
        return self.times(self.bread @ contrast)

    def leverage(self) -> FloatArray:
        """Return h_i = w_i x_i' M x_i, (m,)."""
        C, h = self.n_cells, np.zeros(len(self.weights))
        if self.cells is not None:
            h += np.diag(self.bread)[:C][self.cells]
        if self.design is not None:
            h += np.sum((self.design @ self.bread[C:, C:]) * self.design, axis=1)
        if self.cells is not None and self.design is not None:
            h += 2.0 * np.sum(self.bread[:C, C:][self.cells] * self.design, axis=1)
        return np.asarray(h * self.weights)

    def gram_of_squared_weights(self) -> FloatArray:
        """Return X'W^2 X, (p, p)."""
        C, squared = self.n_cells, self.weights**2
        out = np.zeros((self.n_parameters, self.n_parameters))
        if self.cells is not None:
            out[np.arange(C), np.arange(C)] = np.bincount(self.cells, squared, minlength=C)
        if self.design is not None:
            heavy = self.design * squared[:, None]
            out[C:, C:] = self.design.T @ heavy
            if self.cells is not None:
                sums = [np.bincount(self.cells, column, minlength=C) for column in heavy.T]
                out[:C, C:] = np.column_stack(sums)
                out[C:, :C] = out[:C, C:].T
        return out


@dataclass(frozen=True, slots=True, eq=False)
class SmallBlocks:
    """Blocks with one person in an arm, whose variance is seen between blocks alone.

    Attributes
    ----------
    rows : (m,) bool array
        The rows of such blocks.
    score : (m,) array
        One value a block, zero elsewhere: the squares add up to the blocks' part of the variance
        (Pashley and Miratrix 2021, doi 10.3102/1076998620946272).
    """

    rows: BoolArray
    score: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LinearTerm:
    """The part c'b of a parameter, with b from a linear fit.

    ``core`` is the part of ψ that the leverage corrections rescale, row by row.

    Attributes
    ----------
    fit : LinearFit
    contrast : (p,) array
        c.
    share : (m,) array, optional
        Influence of shares (of blocks, say) that ψ takes as fixed. A test across designs adds it.
    first : FirstStage, optional
        The first stage of a ratio.
    small : SmallBlocks, optional
        Blocks whose rows have a variance by HC2 and HC3 though one of them stands alone.
    sampled : bool
        Whether ψ takes the people as drawn from a population, as that of designs without blocks
        does: beside such a row, shares that another takes as fixed count as drawn.
    """

    fit: LinearFit
    contrast: FloatArray
    share: FloatArray | None = None
    first: "FirstStage | None" = None
    small: SmallBlocks | None = None
    sampled: bool = False

    def core(self) -> FloatArray:
        """Return (X M c)_i w_i e_i, (m,)."""
        return self.fit.project(self.contrast) * self.fit.weights * self.fit.residuals

    def scaled(self, factor: float) -> "LinearTerm":
        """Return the term of ``factor`` times the parameter."""
        share = None if self.share is None else self.share * factor
        small = self.small and replace(self.small, score=self.small.score * factor)
        return replace(self, contrast=self.contrast * factor, share=share, small=small)

    def moved(self, positions: IntArray) -> "LinearTerm":
        """Return the term with unit positions mapped through ``positions``."""
        first = None if self.first is None else self.first.moved(positions)
        return replace(self, fit=replace(self.fit, rows=positions[self.fit.rows]), first=first)


@dataclass(frozen=True, slots=True, eq=False)
class FirstStage:
    """What the offer does to receipt: the denominator of a ratio, whose strength is judged.

    Attributes
    ----------
    theta : float
    term : LinearTerm
    """

    theta: float
    term: LinearTerm

    def moved(self, positions: IntArray) -> "FirstStage":
        """Return the first stage with unit positions mapped through ``positions``."""
        return replace(self, term=self.term.moved(positions))


@dataclass(frozen=True, slots=True, eq=False)
class MatchingTerm:
    """A nearest-neighbour matching estimate: its influence part under both published variances.

    Attributes
    ----------
    psi : (m,) array
        Otsu-Rai linear form, with the score's estimation where that is derived, set to the variance
        of Abadie and Imbens (2016) there and of (2006) elsewhere.
    known : (m,) array
        The linear form of a score taken as known, set to the 2006 variance.
    rows : (m,) int array
        Their positions in ``Estimate.units``.
    why_known : str
        Why the score's estimation is not in ψ; empty where it is.
    regression : LinearTerm, optional
        The weighted regression of the outcome on treatment in the matched sample.
    """

    psi: FloatArray
    known: FloatArray
    rows: IntArray
    why_known: str = ""
    regression: LinearTerm | None = None

    def scaled(self, factor: float) -> "MatchingTerm":
        """Return the term of ``factor`` times the parameter."""
        regression = None if self.regression is None else self.regression.scaled(factor)
        psi, known = self.psi * factor, self.known * factor
        return replace(self, psi=psi, known=known, regression=regression)

    def moved(self, positions: IntArray) -> "MatchingTerm":
        """Return the term with unit positions mapped through ``positions``."""
        regression = None if self.regression is None else self.regression.moved(positions)
        return replace(self, rows=positions[self.rows], regression=regression)


Term: TypeAlias = LinearTerm | MatchingTerm
