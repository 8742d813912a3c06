"""Published sets are read from their authors' files, and only from there."""

from pathlib import Path

import pytest

from workbench.data import benchmarks
from workbench.data.examples import Examples
from workbench.errors import DataError, UsageError


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> str:
    """Register a reader for a moment: a module that returns the folder it was given, as the card of examples."""
    import sys
    from types import ModuleType

    module = ModuleType("workbench.data._sets.made_up")
    module.read = lambda folder, **options: Examples.of({"text": ["a"]}, card=repr((folder, options)))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(benchmarks.READERS, "made-up", "made_up")
    return "made-up"


def test_the_folder_of_a_set_or_of_all_sets(reader: str, tmp_path: Path) -> None:
    """The folder may be the set's own or the one that holds a folder for each set; options reach the reader."""
    own = tmp_path / "made_up"
    own.mkdir()

    found = benchmarks.benchmark(reader, tmp_path, split="dev")
    assert repr((own, {"split": "dev"})) == found.card
    assert {"benchmark": reader, "options": {"split": "dev"}} == found.origin
    assert repr((own, {})) == benchmarks.benchmark(reader, own).card


def test_the_environment_names_the_folder(reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """WORKBENCH_DATA is used where no folder is given."""
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))

    assert repr((tmp_path, {})) == benchmarks.benchmark(reader).card


def test_errors_say_what_to_do(reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown name, no folder, and a folder that is not there."""
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    with pytest.raises(UsageError, match="Did you mean 'made-up'"):
        benchmarks.benchmark("made-upp")
    with pytest.raises(DataError, match="does not ship with Workbench. Give the folder"):
        benchmarks.benchmark(reader)
    with pytest.raises(DataError, match="no folder"):
        benchmarks.benchmark(reader, tmp_path / "absent")


@pytest.mark.parametrize("name", benchmarks.benchmarks())
def test_every_reader_is_there(name: str) -> None:
    """Each name has a module with a `read` that says what it reads."""
    from importlib import import_module

    assert import_module(f"workbench.data._sets.{benchmarks.READERS[name]}").read.__doc__


@pytest.mark.data
@pytest.mark.parametrize("name", benchmarks.benchmarks())
def test_every_set_says_its_licence_and_source(name: str, benchmark_data: Path) -> None:
    """Each set at hand is read, with a licence, a source and a card."""
    examples = benchmarks.benchmark(name, benchmark_data)

    assert len(examples) > 10
    assert all([examples.licence, examples.source, examples.card])


def test_an_unknown_option_of_a_set_is_refused(tmp_path: Path) -> None:
    """The message names those that its reader takes, before any file is read."""
    with pytest.raises(UsageError, match=r"option of the set 'winobias' 'splt'\. Did you mean 'split'\?"):
        benchmarks.benchmark("winobias", tmp_path, splt="dev")


def test_options_that_choose_no_file_are_for_the_reader_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set whose options choose rows, not files, says that it is not at hand; it once failed on the option."""
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    with pytest.raises(DataError, match="is not in the cache, and nothing is downloaded"):
        benchmarks.benchmark("clinc-oos", split="train", scope="in", download=False)
