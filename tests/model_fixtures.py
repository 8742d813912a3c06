"""The real embedded model for tests, loaded once; the copy in Workbench's own cache is used, so only the first run converts."""

from typing import Any

import pytest


@pytest.fixture(scope="session")
def embedded_model() -> Any:
    """Return the embedded model; tests that use it carry the marker `model`."""
    from workbench.models import embedded  # torch is late: a run of other tests starts in a third of the time
    from workbench.models.load import load

    if embedded.find() is None:
        pytest.skip(f"the embedded model is not installed: {embedded.PIP_LINE}")
    return load("smollm2-135m-instruct", cache=False)
