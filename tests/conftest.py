"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def benchmark_data() -> Path:
    """Return the folder of benchmark data: WORKBENCH_DATA, else ../shared/data beside the repository."""
    folder = Path(os.environ.get("WORKBENCH_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no benchmark data: {folder} is not there; set WORKBENCH_DATA to the folder that holds them")
    return folder
