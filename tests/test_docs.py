"""What is public is documented."""

from pathlib import Path

import pytest
from workbench_ipython.completion import FLAGS

import workbench
from workbench.data._sources import files_of
from workbench.probes.find import find, names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", [name for name in workbench.__all__ if name not in {"Report", "packs", "benchmarks"}])
def test_the_readme_shows_every_public_name(name: str) -> None:
    """Each name of `workbench` occurs in the README."""
    assert f"wb.{name}" in README


@pytest.mark.parametrize("magic", sorted(FLAGS))
def test_the_readme_shows_every_magic(magic: str) -> None:
    """Each magic occurs in the README."""
    assert f"%{magic}" in README


@pytest.mark.parametrize("probe", names())
def test_every_probe_has_a_page_that_names_its_options(probe: str) -> None:
    """A probe's page says its question and names each of its options."""
    page = (ROOT / "docs" / f"{probe}.md").read_text()

    assert find(probe).question in page
    assert [option for option in find(probe).options if f"`{option}" not in page] == []


@pytest.mark.parametrize("probe", names())
def test_every_probe_has_the_sections_that_a_reader_looks_for(probe: str) -> None:
    """Method and metrics, how to read it, what it cannot say, references."""
    lines = (ROOT / "docs" / f"{probe}.md").read_text().splitlines()

    assert {"## Options", "## What it cannot say", "## References"} <= set(lines)
    assert any(line.startswith("## How to read") for line in lines)


def test_every_page_stands_in_the_contents_of_the_site() -> None:
    """No page of `docs/` is left out of `index.md`."""
    index = (ROOT / "docs" / "index.md").read_text().split()
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}

    assert pages - set(index) == set()


@pytest.mark.parametrize("name", workbench.benchmarks())
def test_the_page_of_sets_lists_every_set(name: str) -> None:
    """A row for each set, with its repository and every commit that files are taken from."""
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))

    for file in files_of(name):
        assert file.repository in row
        assert file.commit[:12] in row
        assert file.checked in row
