"""Fixtures for all tests."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from browser_fixture import browser
from hypothesis import HealthCheck, settings
from model_fixtures import embedded_model
from order import pytest_collection_modifyitems, pytest_xdist_make_scheduler

__all__ = ["browser", "embedded_model", "pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]

os.environ["WORKBENCH_OFFLINE"] = "1"  # the tests of downloads, against a server of their own, lift it

# A busy machine is no fault of the code: examples have no deadline, and a slow draw does not fail a test.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def benchmark_data() -> Path:
    """Return the folder of benchmark data: WORKBENCH_DATA, else ../shared/data beside the repository."""
    folder = Path(os.environ.get("WORKBENCH_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no benchmark data: {folder} is not there; set WORKBENCH_DATA to the folder that holds them")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a model, browser or data test that was skipped, where WORKBENCH_NO_SKIPS says that none may be (CI)."""
    del call
    report = yield
    held = [name for name in ("model", "browser", "data") if item.get_closest_marker(name)]
    if os.environ.get("WORKBENCH_NO_SKIPS") and report.skipped and held:
        report.outcome = "failed"
        report.longrepr = f"skipped, but a test marked {', '.join(held)} may not be here: {report.longrepr}"
    return report
