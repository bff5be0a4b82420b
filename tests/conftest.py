"""Where the reference numbers lie, for every test."""

from pathlib import Path

import pytest

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
