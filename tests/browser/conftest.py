"""Makes the browser client of tools/ importable and says when there is no browser."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """Return the path of Chromium."""
    pytest.importorskip("websocket", reason="the package websocket-client is not installed")
    from browser import NAMES, executable

    program = executable()
    if program is None:
        pytest.skip(f"no browser on the path (looked for {', '.join(NAMES)})")
    return program
