"""What JupyterLab's side panel hears from this kernel: models in memory, runs, memory of the device.

One comm, "workbench.runs", carries it. The kernel opens it where Workbench's JupyterLab extension is installed, and only registers
it elsewhere, so that no other front end is told of a target that it does not know; a page that is opened later finds it among
the kernel's comms and says hello. Everything that the panel does is plain Python too: `del model`, `wb.runs()[-1].cancel()`.

Messages from the page: hello, cancel, unload. Answers: the whole state.
"""

import gc
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

from workbench.errors import UsageError
from workbench.models import held
from workbench.views import runs
from workbench.views._live import answer_beside_cells

__all__ = ["Channel", "memory", "names_of", "open_channel", "state"]

TARGET = "workbench.runs"
EXTENSION = "workbench-lab"
GAP = 0.4  # seconds between two messages

_channel: "Channel | None" = None


def open_channel() -> "Channel | None":
    """Return this kernel's channel, opened at the first call; None where no notebook runs this process."""
    global _channel
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or type(shell).__name__ != "ZMQInteractiveShell":
        return None
    if _channel is None:
        _channel = Channel(shell)
        _channel.open()
    return _channel


class Channel:
    """Tells pages what has changed, a few times a second at most, from whatever thread."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._lock = threading.Lock()
        self._comm: Any = None
        self._sent = 0.0
        self._timer: threading.Timer | None = None

    def open(self) -> None:
        """Make the comm, and listen to what it tells of."""
        from comm import create_comm, get_comm_manager

        told = _installed()
        self._comm = create_comm(target_name=TARGET, data=state(self._shell.user_ns), primary=told)
        if not told:
            get_comm_manager().register_comm(self._comm)
        answer_beside_cells(SimpleNamespace(comm=self._comm))
        self._comm.on_msg(self._hear)
        runs.listen(self.publish)
        held.listen(self.publish)
        self._shell.events.register("post_run_cell", lambda _result: self.publish())  # variables come and go with cells

    def publish(self) -> None:
        """Send the state, now or a little later."""
        with self._lock:
            wait = self._sent + GAP - time.monotonic()
            if wait > 0:
                if self._timer is None:
                    self._timer = threading.Timer(wait, self._later)
                    self._timer.daemon = True
                    self._timer.start()
                return
            self._sent = time.monotonic()
        self._send()

    def _later(self) -> None:
        with self._lock:
            self._timer, self._sent = None, time.monotonic()
        self._send()

    def _send(self) -> None:
        self._comm.send(state(self._shell.user_ns))

    def _hear(self, message: Any) -> None:
        told = message["content"]["data"]
        if not isinstance(told, dict):
            return
        try:
            if told.get("kind") == "cancel":
                runs.numbered(told.get("number")).cancel()
            elif told.get("kind") == "unload":
                self._unload(told.get("id"))
        except UsageError:  # what the page knew is gone already: it is told anew
            pass
        self._send()

    def _unload(self, number: Any) -> None:
        """Delete every variable of the notebook that holds a model, and free what that frees."""
        model = held.held().get(number)
        if model is None:
            return
        for name in names_of(model, self._shell.user_ns):
            self._shell.del_var(name)
        del model
        gc.collect()
        if gpus := _gpus():
            gpus.empty_cache()


def state(space: dict[str, Any]) -> dict[str, Any]:
    """Return what pages show: models with the variables that hold them, runs, memory.

    >>> sorted(state({}))
    ['memory', 'models', 'runs']
    """
    models = []
    for number, model in held.held().items():
        info = model.info
        about = {"name": info.name, "kind": info.kind, "device": info.device, "dtype": info.dtype}
        models.append({"id": number, **about, "bytes": info.bytes, "variables": names_of(model, space)})
    return {"models": models, "runs": [run.as_state() for run in reversed(runs.runs())], "memory": memory()}


def names_of(model: Any, space: dict[str, Any]) -> list[str]:
    """Return the variables that hold a model.

    >>> one = object()
    >>> names_of(one, {"a": one, "b": 1, "_": one})
    ['a']
    """
    return [name for name, value in list(space.items()) if value is model and not name.startswith("_")]


def memory() -> list[dict[str, Any]]:
    """Return used and total bytes of each GPU, or of this machine and this process where there is none.

    >>> [sorted(one) for one in memory()][0]
    ['name', 'total', 'used']
    """
    if gpus := _gpus():
        found = []
        for at in range(gpus.device_count()):
            free, total = gpus.mem_get_info(at)
            found.append({"name": f"cuda:{at}", "used": total - free, "total": total})
        return found
    import psutil  # type: ignore[import-untyped]  # has no type information

    process, machine = psutil.Process().memory_info().rss, psutil.virtual_memory()
    return [
        {"name": "this kernel", "used": process, "total": machine.total},
        {"name": "machine", "used": machine.total - machine.available, "total": machine.total},
    ]


def _gpus() -> Any:
    """Return `torch.cuda` where torch is there and has a GPU; a run in another thread may be half through importing it."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    return cuda if cuda is not None and hasattr(cuda, "is_available") and cuda.is_available() else None


def _installed() -> bool:
    """Return whether the JupyterLab extension is installed where this kernel runs."""
    from pathlib import Path

    from jupyter_core.paths import jupyter_path

    return any((Path(folder) / EXTENSION / "package.json").is_file() for folder in jupyter_path("labextensions"))
