"""Are bias, coverage, size and power what they are known to be, whatever way the draws are made?

The world is a lottery of normal outcomes, small enough that its answers are known from tables. It
answers the estimators' requests itself, so that no panel is built and checked.
"""

import json
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import prakerja_eval as pe
from prakerja_eval.compare.diagnose import Experiment
from prakerja_eval.compare.estimators import Judged, standard
from prakerja_eval.compare.one_draw import seed_of
from prakerja_eval.compare.workers import can_fork
from prakerja_eval.errors import DataError, NotEstimableError, UsageError
from prakerja_eval.estimate.estimate import INDEX_COLUMNS
from prakerja_eval.panel import UnitArrays

ROLES = pe.Roles(unit="id", offer="won")
PEOPLE = 20  # an arm
SIGMAS = 3.0
MANY = 600
DF = 2 * PEOPLE - 2
QUANTILE = float(stats.t.ppf(0.975, DF))


@dataclass(frozen=True)
class Lottery:
    """PEOPLE winners and losers with normal outcomes; `effect` is what winning adds to the mean."""

    name: str = "normal"
    effect: float = 0.0
    spread: float = 0.0  # of the true effect over draws


@dataclass(frozen=True)
class People:
    """Answers what the lottery wing asks."""

    y: np.ndarray
    won: np.ndarray
    roles: pe.Roles = ROLES

    def arrays(self, request):
        n = len(self.y)
        ids = pd.Index([f"SYN-{i:06d}" for i in range(n)], name="unit")
        nothing = np.full(n, np.nan)
        return UnitArrays(
            waves=("",),
            outcome=self.y[:, None],
            covariates=np.zeros((n, 0)),
            names=(),
            offer=self.won,
            received=nothing[:, None],
            applications=nothing[:, None],
            cohort=nothing,
            block=np.zeros(n, dtype=np.int64),
            block_names=("",),
            probability=nothing,
            weight=np.ones(n),
            clusters=pd.DataFrame({"weight": np.ones(n)}, index=ids),
        )


@dataclass(frozen=True)
class Truth:
    effect: float

    def of(self, estimate, kind="effect"):
        column, name, value = ("estimand", "ITT", self.effect)
        if kind == "limit":
            column, name, value = "estimator", "mine", self.effect + 1
        return np.where(estimate.index[column] == name, value, np.nan)


@dataclass(frozen=True)
class World:
    panel: People
    truth: Truth


def draw(scenario: Lottery, n_applicants: int, seed: int) -> World:
    random = np.random.default_rng(seed)
    won = np.repeat([1.0, 0.0], n_applicants // 2)
    effect = scenario.effect + scenario.spread * random.standard_normal()
    y = random.standard_normal(n_applicants) + effect * won
    return World(People(y, won), Truth(effect))


def itt(panel: People) -> pe.Estimate:
    return pe.lottery.itt(panel, "y")


CLASSICAL = {"mine": Judged(itt, pe.Classical())}


def experiment(scenario: object = None, estimators=None, draws: int = 20, seed: int = 1):
    scenario = Lottery() if scenario is None else scenario
    return Experiment(scenario, estimators or CLASSICAL, draws, 2 * PEOPLE, seed, draw)


@dataclass(frozen=True)
class TTest:
    """The two-sample t-test of textbooks in the form of an estimate, fast to draw often."""

    y: np.ndarray

    @property
    def index(self):
        return {"estimand": np.array(["ITT"])}

    def findings(self, inference):
        won, lost = self.y[:PEOPLE], self.y[PEOPLE:]
        difference = won.mean() - lost.mean()
        se = sqrt((won.var(ddof=1) + lost.var(ddof=1)) / PEOPLE)
        half, beyond = QUANTILE * se, 2 * special.stdtr(DF, -abs(difference / se))
        row = {"estimand": "ITT", "outcome": "y", "estimate": difference, "std_error": se}
        row |= {"conf_low": difference - half, "conf_high": difference + half}
        told = dict.fromkeys(INDEX_COLUMNS) | row | {"p_value": beyond, "status": "ok"}
        return SimpleNamespace(frame={k: np.array([v], dtype=object) for k, v in told.items()})


@pytest.fixture(scope="module")
def many():
    """Draws under no effect and under one of .8 sd, from which known answers are read."""
    scenarios = [Lottery("null"), Lottery("real", effect=0.8)]
    t_test = {"t": Judged(lambda panel: TTest(panel.y))}
    return experiment(scenarios, t_test, draws=MANY).run(jobs=1).frame.set_index("scenario")


# --- answers that are known -----------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["null", "real"])
def test_the_t_interval_of_normal_means_covers_95_percent(many, scenario) -> None:
    mc_se = sqrt(0.95 * 0.05 / MANY)
    assert abs(many.loc[scenario, "coverage"] - 0.95) <= SIGMAS * mc_se


def test_the_t_test_has_its_size_under_no_effect_and_no_power_is_shown(many) -> None:
    null = many.loc["null"]
    assert abs(null["size"] - 0.05) <= SIGMAS * sqrt(0.05 * 0.95 / MANY)
    assert np.isnan(null["power"])


def test_the_power_of_the_t_test_is_that_of_the_noncentral_t(many) -> None:
    centre = 0.8 / sqrt(2 / PEOPLE)
    known = stats.nct.sf(QUANTILE, DF, centre) + stats.nct.cdf(-QUANTILE, DF, centre)  # .69
    real = many.loc["real"]
    assert abs(real["power"] - known) <= SIGMAS * sqrt(known * (1 - known) / MANY)
    assert np.isnan(real["size"])


def test_bias_and_rmse_are_those_of_a_difference_in_means(many) -> None:
    real, sd = many.loc["real"], sqrt(2 / PEOPLE)
    assert abs(real["bias"]) <= SIGMAS * real["bias_mc_se"]
    # the mean of 400 squared errors of a normal has a relative sd of sqrt(2 / MANY)
    assert abs(real["rmse"] ** 2 / sd**2 - 1) <= SIGMAS * sqrt(2 / MANY)
    assert real["truth"] == pytest.approx(0.8)


# --- the same on every path -----------------------------------------------------------------------


@pytest.mark.skipif(not can_fork(), reason="this platform cannot fork processes")
def test_the_answer_does_not_depend_on_how_many_processes_draw() -> None:
    alone, together = (experiment().run(jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(alone.frame, together.frame, check_exact=True)


def test_where_nothing_can_be_forked_one_process_works_and_says_so(monkeypatch) -> None:
    monkeypatch.setitem(Experiment.run.__globals__, "can_fork", lambda: False)
    found = experiment(draws=3).run(jobs=2)
    assert any("one process" in note for note in found.notes)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_an_interrupted_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    whole = experiment().run(jobs=1, resume=tmp_path / "whole")

    class Interrupted(Exception):
        pass

    def stop(scenario: str, number: int) -> None:
        if number == 7:
            raise Interrupted

    with pytest.raises(Interrupted):
        experiment().run(stop, jobs=1, resume=tmp_path / "cut")
    assert 0 < len(contents(tmp_path / "cut")) < 20
    again = experiment().run(jobs=1, resume=tmp_path / "cut")
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    pd.testing.assert_frame_equal(again.frame, whole.frame, check_exact=True)


def test_draws_that_are_there_are_not_made_again(tmp_path: Path) -> None:
    first = experiment(draws=5).run(jobs=1, resume=tmp_path / "kept")

    def never(scenario: object, n_applicants: int, seed: int) -> World:
        raise AssertionError("a draw was made again")

    again = replace(experiment(draws=5), simulate=never).run(jobs=1, resume=tmp_path / "kept")
    pd.testing.assert_frame_equal(again.frame, first.frame, check_exact=True)


def test_more_draws_go_on_from_fewer(tmp_path: Path) -> None:
    experiment(draws=4).run(jobs=1, resume=tmp_path / "more")
    more = experiment(draws=9).run(jobs=1, resume=tmp_path / "more")
    pd.testing.assert_frame_equal(more.frame, experiment(draws=9).run(jobs=1).frame)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"seed": 2}, "seed 1, now 2"),
        ({"scenario": Lottery("other")}, "other"),
        ({"estimators": {"mine": Judged(itt)}}, "Classical"),
        ({"estimators": {"yours": Judged(itt, pe.Classical())}}, "yours"),
    ],
)
def test_a_folder_of_other_settings_is_refused_with_what_differs(
    tmp_path: Path, other, named
) -> None:
    experiment(draws=2).run(jobs=1, resume=tmp_path)
    with pytest.raises(UsageError, match="other settings") as refused:
        experiment(draws=2, **other).run(jobs=1, resume=tmp_path)
    assert named in str(refused.value)


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="new or empty folder"):
        experiment(draws=2).run(jobs=1, resume=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_damaged_draw_is_named(tmp_path: Path) -> None:
    experiment(draws=2).run(jobs=1, resume=tmp_path)
    (tmp_path / "draw-000001.json").write_text('{"draw": 1, "estim')
    with pytest.raises(DataError, match="draw-000001"):
        experiment(draws=2).run(jobs=1, resume=tmp_path)


def test_the_world_of_a_draw_has_the_seed_of_its_own_child() -> None:
    child = np.random.SeedSequence(11).spawn(6)[5]
    assert seed_of(11, 5) == int(child.generate_state(1, np.uint64)[0]) >> 1


def test_several_scenarios_are_the_joined_diagnoses_of_each(tmp_path: Path) -> None:
    both = [Lottery("a"), Lottery("b", effect=1.0)]
    together = experiment(both, draws=3).run(jobs=1, resume=tmp_path)
    one, other = (experiment(s, draws=3).run(jobs=1) for s in both)
    pd.testing.assert_frame_equal(together.frame, one.join(other).frame, check_exact=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["01-a", "02-b"]


def test_each_draw_is_told_once() -> None:
    told: list[tuple[str, int]] = []
    experiment(draws=4).run(lambda *at: told.append(at), jobs=1)
    assert sorted(told) == [("normal", r) for r in range(4)]


# --- what is refused, what fails, what it is judged against ---------------------------------------


def test_a_draw_whose_estimator_refuses_is_counted_with_its_reason() -> None:
    def shy(panel: People) -> pe.Estimate:
        if panel.y[0] > 0:
            raise NotEstimableError("too shy")
        return itt(panel)

    found = experiment(estimators={"shy": shy}, draws=30).run(jobs=1)
    seeds = [seed_of(1, r) for r in range(30)]
    refused = sum(draw(Lottery(), 40, s).panel.y[0] > 0 for s in seeds)
    assert 0 < refused < 30
    assert found.frame["failed"].tolist() == [refused]
    assert found.reasons[["reason", "draws"]].to_numpy().tolist() == [["too shy", refused]]
    assert f"{refused / 30:.0%}" in found.summary()


def test_an_estimator_that_always_refuses_is_a_row_without_numbers() -> None:
    def never(panel: People) -> pe.Estimate:
        raise NotEstimableError("never")

    found = experiment(estimators={"never": never, **CLASSICAL}, draws=3).run(jobs=1)
    assert found.frame["failed"].tolist() == [3, 0]
    assert np.isnan(found.frame["bias"].iloc[0])


def test_a_row_of_nan_fails_in_that_draw_and_says_why() -> None:
    def blank(panel: People) -> pe.Estimate:
        made = itt(panel)
        if panel.y[0] <= 0:
            return made
        counts = made.counts.assign(status="no overlap")
        return replace(made, theta=np.array([np.nan]), counts=counts)

    found = experiment(estimators={"blank": blank}, draws=30).run(jobs=1)
    failed = int(found.frame["failed"].iloc[0])
    assert 0 < failed < 30
    assert found.reasons["reason"].tolist() == ["no overlap"]
    assert found.reasons["draws"].tolist() == [failed]


def test_a_bug_in_an_estimator_is_no_refusal() -> None:
    def buggy(panel: People) -> pe.Estimate:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        experiment(estimators={"buggy": buggy}, draws=2).run(jobs=1)


def test_a_row_is_judged_against_the_limit_or_labels_that_are_named() -> None:
    def other(panel: People) -> pe.Estimate:
        return pe.rename(itt(panel), estimator="mine", estimand="my own")

    estimators = {
        "own": Judged(other),
        "limit": Judged(other, against="limit"),
        "named": Judged(other, against={"estimand": "ITT"}),
    }
    found = experiment(Lottery(effect=2.0), estimators, draws=3).run(jobs=1)
    assert np.isnan(found.frame["truth"].iloc[0])  # nothing is labelled "my own"
    assert "no truth" in found.reasons["reason"].iloc[0]
    assert found.frame["truth"].tolist()[1:] == [3.0, 2.0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: experiment(draws=0), "draws"),
        (lambda: Experiment(Lottery(), CLASSICAL, seed=-1, simulate=draw), "seed"),
        (lambda: experiment().run(jobs=0), "jobs"),
        (lambda: experiment([Lottery("a"), Lottery("a")]), "differ"),
        (lambda: experiment(object()), "name"),
        (lambda: standard(["lottery.tit"]), "lottery.itt"),
        (lambda: standard([]), "at least one"),
        (lambda: Judged(itt, against={"estimandd": "ITT"}), "estimandd"),
        (lambda: Judged(itt, against="nothing"), "limit"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(call, said) -> None:
    with pytest.raises(UsageError, match=said):
        call()


# --- how it is shown ------------------------------------------------------------------------------


def test_names_from_a_user_are_escaped() -> None:
    found = experiment(estimators={"<b>50%_": Judged(itt)}, draws=3).run(jobs=1)
    assert "<b>50" not in found._repr_html_()
    assert r"50\%\_" in found.to_latex()


def test_draws_are_plain_lines_of_json(tmp_path: Path) -> None:
    experiment(draws=1).run(jobs=1, resume=tmp_path)
    told = json.loads((tmp_path / "draw-000000.json").read_text())
    row = told["estimators"]["mine"]["rows"][0]
    world = draw(Lottery(), 40, seed_of(1, 0))
    arms = world.panel.y[:20], world.panel.y[20:]
    assert row["estimate"] == pytest.approx(arms[0].mean() - arms[1].mean(), rel=1e-12)
    low, high = stats.ttest_ind(*arms).confidence_interval(0.95)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((low, high), rel=1e-10)
