"""What JupyterLab's side panel is told, and what it may ask for."""

import gc
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import workbench as wb
from workbench.models import held
from workbench.models.load import kind_of
from workbench.views import channel, runs
from workbench.views.progress import Progress


class Shell:
    """A notebook's shell, as far as the channel needs one."""

    def __init__(self, **space: Any) -> None:
        self.user_ns = space
        self.heard: list[Any] = []
        self.events = SimpleNamespace(register=lambda name, function: self.heard.append((name, function)))

    def del_var(self, name: str) -> None:
        """Delete a variable."""
        del self.user_ns[name]


class Comm:
    """A comm that keeps what is sent."""

    def __init__(self, **made: Any) -> None:
        self.made, self.sent, self.hear = made, [], None

    def send(self, data: Any) -> None:
        """Keep it."""
        self.sent.append(data)

    def on_msg(self, hear: Any) -> None:
        """Keep who listens."""
        self.hear = hear


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a channel of a shell with a model, its comm and the shell."""
    comms: list[Comm] = []

    def create(**made: Any) -> Comm:
        comms.append(Comm(**made))
        return comms[-1]

    manager = SimpleNamespace(registered=[], register_comm=lambda one: manager.registered.append(one))
    monkeypatch.setitem(sys.modules, "comm", SimpleNamespace(create_comm=create, get_comm_manager=lambda: manager))
    monkeypatch.setattr(channel, "GAP", 0.0)
    shell = Shell(clever=wb.load(lambda texts: [[0.2, 0.8] for _ in texts], labels=["no", "yes"], name="made up"))
    made = channel.Channel(shell)
    made.open()
    yield made, comms[0], shell, manager
    runs.unlisten(made.publish)
    held._listeners.remove(made.publish)


def tell(comm: Comm, **message: Any) -> None:
    """Say something as a page does."""
    comm.hear({"content": {"data": message}})  # type: ignore[misc] # on_msg was called


def test_the_state_names_models_with_their_variables(opened: Any) -> None:
    """The page that says hello is told which models are held, by which variables, and how much memory is used."""
    _, comm, shell, _ = opened
    tell(comm, kind="hello")
    (model,) = [one for one in comm.sent[-1]["models"] if "clever" in one["variables"]]

    assert (model["name"], model["variables"], model["kind"]) == ("made up", ["clever"], "callable")
    assert all(0 < one["used"] <= one["total"] for one in comm.sent[-1]["memory"])
    assert "clever" in shell.user_ns


def test_a_front_end_without_the_extension_is_told_of_no_comm(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comm is announced only where the extension is installed; it can be found among the kernel's comms in any case."""
    _, comm, _, manager = opened
    assert (comm.made["target_name"], comm.made["primary"]) == ("workbench.runs", channel._installed())
    assert manager.registered == ([] if channel._installed() else [comm])


def test_unload_frees_the_model(opened: Any) -> None:
    """Its variables are deleted, and nothing holds it any more."""
    _, comm, shell, _ = opened
    number = next(number for number, model in held.held().items() if model is shell.user_ns["clever"])
    tell(comm, kind="unload", id=number)
    gc.collect()

    assert shell.user_ns == {}
    assert number not in held.held()
    assert all(one["name"] != "made up" for one in comm.sent[-1]["models"])


def test_a_run_is_published_and_cancelled(opened: Any) -> None:
    """Each step of a run reaches the page; its Cancel reaches the run; a number that no run has changes nothing."""
    _, comm, _, _ = opened
    watch = Progress(shown=True)
    run = watch.expect("a run of nothing")
    watch.start(10, "questions")
    watch.advance(4)
    tell(comm, kind="cancel", number=99_999)
    assert not watch.stopped
    tell(comm, kind="cancel", number=run.number)

    assert watch.stopped
    told = comm.sent[-1]["runs"][0]
    assert (told["title"], told["done"], told["total"]) == ("a run of nothing", 4, 10)
    watch.fail(RuntimeError("ended"))


def test_outside_a_notebook_there_is_no_channel() -> None:
    """A script opens none."""
    assert channel.open_channel() is None


@pytest.mark.parametrize("begun", [(), ("cuda",), ("cuda", "nn")])
def test_torch_may_be_half_imported(monkeypatch: pytest.MonkeyPatch, begun: tuple[str, ...]) -> None:
    """While a run in another thread imports torch, memory is told and a callable is loaded."""
    half = ModuleType("torch")
    for name in begun:
        setattr(half, name, ModuleType(f"torch.{name}"))
    monkeypatch.setitem(sys.modules, "torch", half)

    assert [one["name"] for one in channel.memory()] == ["this kernel", "machine"]
    assert kind_of(len) == "callable"
