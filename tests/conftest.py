"""Fixtures shared by all tests."""

import os
from pathlib import Path

# One thread per test process: two spinning thread pools beside each other are many times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np
import pytest

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real ECG files, which licences keep out of this repository."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real ECG files (../shared/data) are not on this machine")
    return REAL_DATA


@pytest.fixture(scope="session")
def golden() -> Path:
    """Return the folder of numbers computed by other people's code."""
    folder = REAL_DATA.parent / "golden"
    if not folder.is_dir():
        pytest.skip("the golden numbers (../shared/golden) are not on this machine")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a seeded generator."""
    return np.random.default_rng(20_261_121)


def pytest_terminal_summary(terminalreporter) -> None:
    """Say how many tests ran on real ECG files and how many were skipped."""
    counts = {
        outcome: sum(
            "real" in report.keywords
            for report in terminalreporter.stats.get(outcome, [])
            if hasattr(report, "keywords")
        )
        for outcome in ("passed", "failed", "skipped")
    }
    terminalreporter.write_line(
        f"Tests on real ECG files: {counts['passed']} passed, {counts['failed']} failed, "
        f"{counts['skipped']} skipped."
    )
