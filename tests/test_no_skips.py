"""CI fails where a test that needs the model, a browser or the data was skipped."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TEST = """
from pathlib import Path

import pytest

@pytest.mark.data
def test_needs_data():
    pytest.skip("no data here")

def test_other():
    pytest.skip("something else")
"""


@pytest.mark.parametrize(("no_skips", "failed"), [("", 0), ("1", 1)])
def test_a_skip_is_a_failure_only_where_none_may_be(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, no_skips: str, failed: int
) -> None:
    """The hook turns the skip of a marked test into a failure under WORKBENCH_NO_SKIPS, and leaves others alone."""
    monkeypatch.setenv("WORKBENCH_NO_SKIPS", no_skips)
    pytester.makeconftest((Path(__file__).parent / "conftest.py").read_text())
    pytester.makeini(f"[pytest]\npythonpath = {Path(__file__).parent}\nmarkers =\n    data: x\n")
    pytester.makepyfile(TEST)

    result = pytester.runpytest_subprocess("-p", "no:randomly")

    result.assert_outcomes(failed=failed, skipped=2 - failed)
