"""How far can an estimator be trusted in a world like this? Draw the world many times and look."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from prakerja_eval.compare import resume as folders
from prakerja_eval.compare.diagnosis import Diagnosis, diagnosis_of
from prakerja_eval.compare.estimators import Estimator, Judged, standard
from prakerja_eval.compare.one_draw import Draws, Simulate
from prakerja_eval.compare.workers import can_fork, cores, each
from prakerja_eval.errors import UsageError, nearest

Estimators: TypeAlias = Mapping[str, Estimator | Judged] | Sequence[str]
OnDraw: TypeAlias = Callable[[str, int], None]
MOST = 100_000  # draws
PACKAGES = ("prakerja-eval", "numpy", "scipy", "pandas")


def diagnose(
    scenario: object,
    estimators: Estimators,
    draws: int = 200,
    n_applicants: int = 10_000,
    seed: int = 0,
    jobs: int | None = None,
    resume: str | Path | None = None,
) -> Diagnosis:
    """Return bias, RMSE, coverage, size and power of estimators over draws of a scenario.

    Parameters
    ----------
    scenario : Scenario, str, or a list of them
        A simulated programme, or its name; "phone_sample:selective_response" names the account
        too.
    estimators : mapping, or sequence of str
        Name to a function of a panel that returns an Estimate, or to ``compare.Judged``, which says
        what it is judged against. A sequence names standard estimators of employment and income;
        ``compare.standard`` makes those of other outcomes.
    draws : int
        Worlds, up to 100,000; the world of draw r is made with a seed that depends on ``seed`` and
        r alone.
    n_applicants : int
        People in each world.
    seed : int
    jobs : int, optional
        Processes at a time; left out, one a core. The answer does not depend on it.
    resume : path, optional
        Folder in which each draw is kept as it is finished. The same call goes on from there, and
        one with more draws adds them; draws made by other settings are refused. What a function
        does is not part of the settings: after a change of one, take a new folder.

    Returns
    -------
    Diagnosis

    Raises
    ------
    UsageError
        For an unknown estimator, outcome or scenario, numbers that are none or out of range, an
        estimator that returns no Estimate, or a folder of other settings.

    References
    ----------
    Morris, White and Crowther (2019), doi 10.1002/sim.8086.

    Examples
    --------
    >>> from prakerja_eval.compare.diagnose import diagnose
    >>> found = diagnose("null", ["naive.before_after"], draws=2, n_applicants=500, jobs=1)
    >>> found.frame["truth"].tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    experiment = Experiment(scenario, estimators, draws, n_applicants, seed)
    return experiment.run(jobs=jobs, resume=resume)


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is drawn and who looks at it; see ``diagnose``.

    Parameters
    ----------
    scenario, estimators, draws, n_applicants, seed
        As in ``diagnose``.
    simulate : callable, optional
        Of scenario, n_applicants and seed; returns a world with a ``panel`` and a ``truth`` that
        has ``of(estimate)``. Left out, ``prakerja_eval.simulate``.
    """

    scenario: object
    estimators: Estimators
    draws: int = 200
    n_applicants: int = 10_000
    seed: int = 0
    simulate: Simulate | None = None
    scenarios: tuple[object, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _whole(self.draws, "draws", 1, MOST)
        _whole(self.n_applicants, "n_applicants", 1)
        _whole(self.seed, "seed", 0)
        several = isinstance(self.scenario, list | tuple)
        given = tuple(self.scenario) if several else (self.scenario,)  # type: ignore[arg-type]
        found = tuple(map(_named, given)) if self.simulate is None else given
        names = [name_of(s) for s in found]
        if not names or len(set(names)) < len(names):
            raise UsageError("scenarios need names that differ, and there must be at least one.")
        judged = {name: _once(one) for name, one in _judged(self.estimators).items()}
        if self.simulate is None:
            _refuse_unknown(judged)
        object.__setattr__(self, "scenarios", found)
        object.__setattr__(self, "estimators", MappingProxyType(judged))

    def run(
        self,
        on_draw: OnDraw = lambda scenario, number: None,
        *,
        jobs: int | None = None,
        resume: str | Path | None = None,
    ) -> Diagnosis:
        """Draw, or go on from a folder, and return the diagnosis.

        Parameters
        ----------
        on_draw : callable
            Told the scenario's name and the number of each draw that is there, in any order.
        jobs, resume
            As in ``diagnose``. With several scenarios each has a folder of its own inside.
        """
        if jobs is not None:
            _whole(jobs, "jobs", 1)
        wanted = cores() if jobs is None else jobs
        names = ", ".join(name_of(s) for s in self.scenarios)
        notes = [
            f"{names}: {self.draws:,} {'draw' if self.draws == 1 else 'draws'} of "
            f"{self.n_applicants:,} applicants; draw r has the seed of "
            f"the child (r,) of SeedSequence({self.seed})."
        ]
        if wanted > 1 and not can_fork():
            wanted = 1
            notes.append("Made by one process: this platform cannot fork processes.")
        homes = self._homes(resume)
        made = [self._one(s, on_draw, (wanted, homes.get(name_of(s)))) for s in self.scenarios]
        first, *others = made
        joined = first.join(*others)
        return Diagnosis(joined.frame, joined.reasons, tuple(notes))

    def _homes(self, resume: str | Path | None) -> dict[str, Path]:
        """Return the folder of each scenario, checked before anything is drawn."""
        if resume is None:
            return {}
        homes = {}
        for place, scenario in enumerate(self.scenarios):
            name = name_of(scenario)
            safe = f"{place + 1:02d}-{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}"
            home = Path(resume) / safe if len(self.scenarios) > 1 else Path(resume)
            homes[name] = folders.opened(home, self._record(scenario))
        return homes

    def _one(self, scenario: object, on_draw: OnDraw, where: tuple[int, Path | None]) -> Diagnosis:
        """Return the diagnosis of one scenario."""
        name = name_of(scenario)
        texts: dict[int, str] = {}
        for number, text in self._texts(scenario, *where):
            texts[number] = text
            on_draw(name, number)
        ordered = [texts[number] for number in range(self.draws)]
        return diagnosis_of(name, list(self.estimators), ordered)

    def _texts(self, scenario: object, jobs: int, home: Path | None) -> Iterator[tuple[int, str]]:
        """Yield the draws: those that are there already, then the others as they are finished."""
        simulate = self.simulate or _simulate
        judged: Any = self.estimators
        made = Draws(simulate, scenario, judged, self.n_applicants, self.seed)
        left = []
        for number in range(self.draws):
            text = None if home is None else folders.kept(home, number)
            if text is None:
                left.append(number)
            else:
                yield number, text
        for number, text in each(made.text, left, jobs):
            if home is not None:
                folders.keep(home, number, text)
            yield number, text

    def _record(self, scenario: object) -> dict[str, object]:
        """Return the settings on which a draw depends."""
        judged: Any = self.estimators
        return {
            "scenario": scenario.to_toml() if hasattr(scenario, "to_toml") else name_of(scenario),
            "seed": self.seed,
            "n_applicants": self.n_applicants,
            "estimators": {name: _settings(one) for name, one in judged.items()},
            "versions": {package: version(package) for package in PACKAGES},
        }


def name_of(scenario: object) -> str:
    """Return the name of a scenario, with its account if it follows one.

    Raises
    ------
    UsageError
        If it has none.
    """
    name = scenario if isinstance(scenario, str) else getattr(scenario, "name", None)
    if not isinstance(name, str) or not name:
        kind = type(scenario).__name__
        raise UsageError(f"a scenario is a name, or has one as its .name; this {kind} has none.")
    account = getattr(scenario, "account", "")
    return f"{name}:{account}" if account else name


def _settings(judged: Judged) -> list[object]:
    against = judged.against
    shown = {k: str(v) for k, v in against.items()} if isinstance(against, Mapping) else against
    inference = "default" if judged.inference is None else repr(judged.inference)
    call = judged.estimate
    return [getattr(call, "settings", None), inference, shown]


def _judged(estimators: Estimators) -> dict[str, Judged]:
    """Return estimators by name, each with what it is judged against."""
    if isinstance(estimators, str):
        return dict(standard([estimators]))
    if not isinstance(estimators, Mapping):
        return dict(standard(list(estimators)))
    if not estimators:
        raise UsageError("name at least one estimator.")
    return {
        str(name): one if isinstance(one, Judged) else Judged(one)
        for name, one in estimators.items()
    }


def _whole(value: object, name: str, least: int, most: int | None = None) -> None:
    """Refuse what is no whole number from ``least`` to ``most``."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):  # type: ignore[operator]
        reach = f"from {least} on" if most is None else f"from {least} to {most:,}"
        raise UsageError(f"diagnose({name}) is {value!r}; it is a whole number {reach}.")


def _once(judged: Judged) -> Judged:
    """Return a standard estimator with each of its outcomes once."""
    call: Any = judged.estimate
    asked = _outcomes(judged)
    once = tuple(dict.fromkeys(asked))
    return judged if once == asked else replace(judged, estimate=replace(call, outcomes=once))


def _outcomes(judged: Judged) -> tuple[str, ...]:
    """Return the outcomes of a standard estimator; nothing is known of other functions."""
    settings = getattr(judged.estimate, "settings", None)
    return tuple(settings["outcomes"]) if isinstance(settings, dict) else ()


def _refuse_unknown(estimators: Mapping[str, Judged]) -> None:
    """Refuse what is no outcome of a simulated panel, before anything is drawn."""
    from prakerja_eval.synthetic.columns import ORDER  # late: as in _named
    from prakerja_eval.synthetic.truth_outcomes import OUTCOMES

    known = [c for c in ORDER if c in OUTCOMES]
    asked = dict.fromkeys(o for one in estimators.values() for o in _outcomes(one))
    for outcome in asked:
        if outcome not in known:
            kind = "no outcome" if outcome in ORDER else "no column"
            raise UsageError(
                f"{outcome!r} is {kind} of a simulated panel.{nearest(outcome, known)} "
                f"Outcomes are {', '.join(known)}."
            )


def _named(scenario: object) -> object:
    """Return a scenario by its name, "name" or "name:account"; another object as it is."""
    if not isinstance(scenario, str):
        return scenario
    from prakerja_eval.synthetic import Scenario  # late: a diagnosis may simulate otherwise

    return Scenario.named(scenario)


def _simulate(scenario: Any, n_applicants: int, seed: int) -> Any:
    from prakerja_eval.synthetic import simulate

    return simulate(scenario, n_applicants=n_applicants, seed=seed)
