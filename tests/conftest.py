"""Where the reference numbers lie, for every test, and how examples are drawn."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# One commit, one verdict: CI draws the same examples each time; at a desk they are drawn afresh.
# No deadline an example: the first call of a compiled loop compiles it.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "reference"


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Return the folder of reference data that may not be copied into the project."""
    if not SHARED.is_dir():
        pytest.skip(
            "the reference data of other people (JTPA, STAR, mpdta, lalonde) lie in "
            "../shared/reference and may not be copied into the project"
        )
    return SHARED


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Return the root of the checkout."""
    return ROOT
