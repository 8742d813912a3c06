"""Which process runs which file, and when: `--dist loadfile`, but the longest files first and the browser tests in two parts.

xdist starts with the files that have the most tests. Those are the quickest here, and one process would be left alone with a
notebook at the end. Browser tests share a server, a page and a kernel; those of the files that take kernels of their own anyway
are a part by themselves. Within a file, and among all files that are not named, the order stays random.
"""

from pathlib import Path
from typing import Any

import pytest

BROWSER = "tests/browser"
OWN = tuple(f"{BROWSER}/test_browser_{name}.py" for name in ("access", "lab", "launcher", "quickstart", "what_if"))
LONGEST = (
    BROWSER,
    OWN[0],
    "tests/test_notebooks.py",
    "tests/test_course.py",
    "tests/test_audits.py",
    "tests/probes/test_sweep.py",
    "tests/views/test_compare_view.py",
    "tests/models/test_embedded.py",
    "tests/models/test_engine_cache.py",
    "tests/probes/test_ood_clinc.py",
    "tests/stats/test_summary.py",
    "tests/probes/test_slices.py",
    "tests/magics/test_magics.py",
    "tests/stats/test_coverage.py",
    "tests/probes/test_continuations.py",
    "tests/stats/test_groups.py",
    "tests/audit/test_robustness.py",
    "tests/test_other_package.py",
    "tests/audit/test_replay.py",
    "tests/audit/test_replay_model.py",
    "tests/stats/test_bbq_scores.py",
    "tests/stats/test_correlation.py",
    "tests/views/test_launcher.py",
    "tests/probes/test_checklist.py",
    "tests/models/test_endpoint_model.py",
    "tests/models/test_engine_model.py",
    "tests/stats/test_ood_metrics.py",
    "tests/models/test_states.py",
    "tests/test_reports.py",
    "tests/probes/test_bbq.py",
    "tests/probes/test_ood.py",
    "tests/test_report_html.py",
    "tests/probes/test_swap.py",
    "tests/test_wheel.py",
)


def part_of(nodeid: str) -> str:
    """Return what goes to one process whole: the file of a test, or one of the two parts of the browser tests.

    >>> part_of("tests/test_wheel.py::test_it"), part_of("tests/browser/test_it.py::test_that")
    ('tests/test_wheel.py', 'tests/browser')
    >>> part_of(f"{OWN[-1]}::test_it") == OWN[0]
    True
    """
    file = nodeid.split("::", 1)[0]
    if file in OWN:
        return OWN[0]
    return BROWSER if file.startswith(f"{BROWSER}/") else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first; the rest stays as pytest-randomly left it."""
    place = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(part_of(item.nodeid), len(place)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return the scheduler of `--dist loadfile`, which takes parts in the order of the tests; none for other ways."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler.loadfile import LoadFileScheduling

    class ByPart(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return part_of(nodeid)

    config.option.loadscopereorder = False
    return ByPart(config, log)


def missing() -> list[str]:
    """Return the names above that are no file or folder."""
    root = Path(__file__).parents[1]
    return [name for name in (*LONGEST, *OWN) if not (root / name).exists()]
