"""A shell with the magics loaded."""

import atexit
import gc
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def shell() -> Iterator[Any]:
    """Return a shell with the extension loaded; it takes the place of `__main__`, which is put back."""
    main = sys.modules["__main__"]
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "workbench")
    yield shell
    shell.run_line_magic("unload_ext", "workbench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            gc, "collect", lambda *_: 0
        )  # of all that the tests before have made: a third of a second each time
        shell._atexit_once()
    atexit.unregister(shell.atexit_operations)
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = main  # the module of a shell has no __spec__, and no process can be spawned from it
