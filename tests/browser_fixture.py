"""One Chromium for all tests: Playwright allows one at a time."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

XSS = "</script><script>window.__xss=1</script><img src=x onerror='window.__xss=1'>"  # what a text may try
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start the Chromium that is on the path; skip, with the reason, where there is none."""
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    if not found:
        pytest.skip("needs Chromium on the path: apt-get install chromium")
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with sync.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found[0], headless=True, args=FLAGS)
        yield running
        running.close()
