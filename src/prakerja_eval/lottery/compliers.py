"""What are those like whom the offer moved? Means of covariates by type, through Abadie's kappa."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, Inference, contrast, infer, join
from prakerja_eval.estimate.estimate import COUNT_COLUMNS, INDEX_COLUMNS, index_row
from prakerja_eval.estimate.specs import instance_of, names_of
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.itt import without_regression
from prakerja_eval.lottery.late import NO_FIRST_STAGE
from prakerja_eval.lottery.roster import Roster, roster
from prakerja_eval.numerics.kappa import ALWAYS, COMPLIERS, EVERYONE, NEVER, TypeMeans, type_means
from prakerja_eval.panel import PanelProtocol, WaveLabel

POPULATIONS = {
    EVERYONE: "everyone in the lottery",
    COMPLIERS: "compliers",
    ALWAYS: "always-takers",
    NEVER: "never-takers",
}
NOBODY = {
    ALWAYS: "there are none: no loser received the programme",
    NEVER: "there are none: every winner received the programme",
}


def compliers(
    panel: PanelProtocol,
    covariates: str | Sequence[str],
    design: Design | None = None,
    *,
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate the means of covariates among compliers, and how many compliers there are.

    The estimand is E[κ x] / E[κ] over everyone in the lottery, κ = 1 − D (1 − Z) / (1 − p) −
    (1 − D) Z / p, with offer Z, receipt D and odds p: the mean of x among those who take part if
    they win and not if they lose. Likewise those who take part either way (always-takers), and
    those who never do.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer`` and ``received``, and ``blocks`` where odds differed.
    covariates : str or sequence of str
        Baseline columns (see ``ArrayRequest``); text becomes indicators.
    design : Design, optional
        Odds are the share of winners in the block, or with ``method="ipw"`` those that Roles
        ``probability`` states. Its covariates are not used; ``block_weights`` other than
        "population" are refused.
    waves : sequence, optional
        By which waves receipt counts; left out, by the last.

    Returns
    -------
    Estimate
        For each wave the shares of compliers, always-takers and never-takers (estimand "share"),
        then for each covariate the means (estimand "mean") of everyone, of compliers, and of the
        other types where there are any. ψ has the influence of the odds where they are estimated.
        ``complier_table`` lays the means side by side.

    Raises
    ------
    UsageError
        Without covariates, or for another weighting of blocks.
    NotEstimableError
        If somebody's receipt is not known, or fewer winners than losers received the programme.

    References
    ----------
    Abadie (2003), doi 10.1016/S0304-4076(02)00201-4.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> from prakerja_eval.lottery.compliers import compliers
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4,
    ...                       "trained": [1, 1, 0, 0, 0, 0, 0, 0],
    ...                       "age": [20, 30, 40, 50, 20, 30, 40, 50]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won", received="trained"))
    >>> found = compliers(panel, "age")
    >>> dict(zip(found.index["population"], found.theta.round(1).tolist()))["compliers"]
    25.0
    """
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    names = names_of(covariates)
    if not names:
        raise UsageError("compliers(covariates=...) names no column; name one at least.")
    if design.block_weights != "population":
        raise UsageError(
            "compliers are described among everyone in the lottery: leave "
            "Design(block_weights=...) at 'population'."
        )
    plain = Design(
        covariates=names,
        method=design.method,
        clusters=design.clusters,
        lone_arms="merge" if design.lone_arms == "merge" else "refuse",
        empty_arms=design.empty_arms,
    )
    found = roster(panel, None, plain, waves, ("offer", "received"))
    chosen = found.chosen[-1:] if waves is None else found.chosen
    return join(*[_rows(found, wave, plain) for wave in chosen])


def complier_table(estimate: Estimate, inference: Inference | None = None) -> pd.DataFrame:
    """Lay the means of ``compliers`` side by side.

    Parameters
    ----------
    estimate : Estimate
        What ``compliers`` returned.
    inference : Inference, optional
        Of the differences; left out, the default.

    Returns
    -------
    DataFrame
        A row a wave and covariate: ``covariate``, ``wave``, ``everyone``, ``compliers``, ``ratio``
        (of compliers' mean to everyone's), ``difference`` (compliers less everyone) with
        ``std_error`` and ``p_value``, ``always_takers``, ``never_takers`` (NaN where there are
        none).
    """
    index = estimate.index
    means = (index["estimator"] == "lottery.compliers") & (index["estimand"] == "mean")
    if not means.any():
        raise UsageError("complier_table reads what lottery.compliers returns.")
    at: dict[tuple[object, object], dict[object, int]] = {}
    for k in np.flatnonzero(means):
        row = index.iloc[k]
        at.setdefault((row["wave"], row["outcome"]), {})[row["population"]] = int(k)
    groups = [[rows.get(name) for name in POPULATIONS.values()] for rows in at.values()]
    apart = np.zeros((len(estimate), len(groups)))
    for r, (everyone, moved, *_) in enumerate(groups):
        apart[everyone, r], apart[moved, r] = -1.0, 1.0
    found = infer(contrast(estimate, apart), inference).frame
    mean = [[np.nan if k is None else float(estimate.theta[k]) for k in g] for g in groups]
    everyone, moved, always, never = np.array(mean).T
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(everyone != 0, moved / everyone, np.nan)
    return pd.DataFrame(
        {
            "covariate": [outcome for _, outcome in at],
            "wave": [wave for wave, _ in at],
            "everyone": everyone,
            "compliers": moved,
            "ratio": ratio,
            "difference": found["estimate"].to_numpy(),
            "std_error": found["std_error"].to_numpy(),
            "p_value": found["p_value"].to_numpy(),
            "always_takers": always,
            "never_takers": never,
        }
    )


def _rows(found: Roster, wave: int, design: Design) -> Estimate:
    """Return the shares and means by one wave."""
    received = found.received[:, wave]
    _refuse_unknown(received, found.label(wave))
    known = design.method == "ipw" and found.stated
    odds = found.odds if known else _shares_of_winners(found)
    block = None if known else found.block
    kappa = type_means(found.covariates, received, found.arm, odds, found.weight, block)
    if not kappa.share[COMPLIERS] > NO_FIRST_STAGE:
        raise NotEstimableError(
            "no more winners than losers received the programme"
            f"{_by(found.label(wave))} (the share of compliers is {kappa.share[COMPLIERS]:.3g}): "
            "there are no compliers to describe."
        )
    return _labelled(found, wave, design, kappa, "stated odds" if known else "odds of the blocks")


def _refuse_unknown(received: np.ndarray, label: WaveLabel | None) -> None:
    """Refuse unknown receipt: who was treated early is known though lost, so the rest is no sample.

    Leaving the others out would make receipt look more common than it is.
    """
    unknown = int(np.isnan(received).sum())
    if unknown:
        raise NotEstimableError(
            f"receipt is not known of {unknown} people in the lottery{_by(label)}: compliers are "
            "counted among all. Fill it in from the programme's records, or name an earlier wave "
            "in waves=[...]."
        )


def _by(label: WaveLabel | None) -> str:
    return "" if label is None else f" by wave {label}"


def _shares_of_winners(found: Roster) -> np.ndarray:
    """Return the weighted share of winners in each person's block, (n,)."""
    people = np.bincount(found.block, found.weight)
    share = np.bincount(found.block, found.weight * found.arm) / people
    return np.asarray(share[found.block])


def _labelled(
    found: Roster, wave: int, design: Design, kappa: TypeMeans, specification: str
) -> Estimate:
    """Put shares and means into one Estimate."""
    there = [t for t in POPULATIONS if kappa.share[t] > 0]
    entries: list[tuple[str, int | None, int]] = [
        ("share", None, t) for t in (COMPLIERS, ALWAYS, NEVER)
    ]
    entries += [("mean", j, t) for j in range(len(found.names)) for t in there]
    theta = [kappa.share[t] if j is None else kappa.mean[t, j] for _, j, t in entries]
    psi = [kappa.psi_share[:, t] if j is None else kappa.psi_mean[:, t, j] for _, j, t in entries]
    common = {
        "estimator": "lottery.compliers",
        "wave": found.label(wave),
        "weighting": design.weighting,
        "specification": specification,
    }
    index = [
        index_row(
            estimand=estimand,
            population=POPULATIONS[t],
            outcome=None if j is None else found.names[j],
            **common,
        )
        for estimand, j, t in entries
    ]
    winners = int(found.arm.sum())
    counts = {"n": len(found), "n_treated": winners, "n_comparison": len(found) - winners}
    status = [NOBODY[t] if kappa.share[t] == 0 else "ok" for _, _, t in entries]
    rows = [{**counts, "comparison_mean": np.nan, "status": s} for s in status]
    return Estimate(
        theta=np.array(theta),
        psi=np.column_stack(psi),
        sample=np.ones((len(found), len(entries)), dtype=bool),
        units=found.units,
        index=pd.DataFrame(index, columns=list(INDEX_COLUMNS), dtype=object),
        counts=pd.DataFrame(rows, columns=list(COUNT_COLUMNS)),
        terms=((),) * len(entries),
        defaults=(without_regression(design),) * len(entries),
    )
