"""Impact evaluation of Kartu Prakerja: the lottery, difference-in-differences and matching.

The public names, loaded when they are first used, so that the command line's help imports no numpy.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_NAMES = {
    "prakerja_eval.panel": (
        "Check",
        "MomentPlan",
        "Panel",
        "ReadOptions",
        "Roles",
        "Wide",
        "new_key",
        "pseudonymise",
        "read_panel",
    ),
    "prakerja_eval.estimate": (
        "AbadieImbens",
        "Adjustment",
        "Classical",
        "Clustered",
        "Estimate",
        "Findings",
        "MultiplierBootstrap",
        "Robust",
        "WildClusterBootstrap",
        "aggregate",
        "contrast",
        "infer",
        "join",
        "rename",
        "subset",
        "test_equal",
        "wald",
    ),
    "prakerja_eval.study": ("Results", "Study"),
    "prakerja_eval.compare": ("Diagnosis", "Judged", "diagnose"),
    "prakerja_eval.programme": ("Figure", "Programme"),
    "prakerja_eval.synthetic": ("Scenario", "Truth", "World", "simulate"),
    "prakerja_eval.report": ("Report", "report", "verify"),
}
_MODULES = (
    "balance",
    "compare",
    "did",
    "errors",
    "figures",
    "lottery",
    "matching",
    "synthetic",
    "tables",
)
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted([*_HOME, *_MODULES, "__version__"])  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Load a public name or room when it is first asked for (PEP 562)."""
    if name in _MODULES:
        return import_module(f"prakerja_eval.{name}")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'prakerja_eval' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
