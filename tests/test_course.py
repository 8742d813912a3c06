"""The chapters of the course: each runs, its checks pass on the answers in it, and fail on wrong ones and on none.

One kernel per chapter: after the whole notebook each exercise is done again with other answers, which must fail its check, and
at last with the right one, which must pass.
"""

import ast
import json
import re
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import counted

COURSE = Path(__file__).parents[1] / "notebooks" / "course"
CHAPTERS = sorted(path.stem for path in COURSE.glob("0*.ipynb"))
SOLUTION = re.compile(r"( *)### BEGIN SOLUTION\n.*?### END SOLUTION\n?", re.DOTALL)
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"  # what nbgrader gives to students
SECONDS, MEGABYTES = 60, 2048
# VmHWM, not ru_maxrss: Linux gives a new process the peak of the one that started it, here the whole run of tests.
USED = """import re, time
print(time.process_time(), int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)"""

# Wrong answers to each exercise, as code that takes the place of the solution: what students do write.
WRONG: dict[str, dict[str, list[str]]] = {
    "01_uncertainty": {
        "reliability": ["drawing.points = [None] * 7"],
        "ece": [
            "return abs(np.mean(confidence) - np.mean(correct))",
            "place = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)\n"
            "found = pd.DataFrame({'c': confidence, 'a': correct}).groupby(place).mean()\n"
            "return (found['c'] - found['a']).abs().mean()",
            "return np.abs(np.asarray(confidence) - np.asarray(correct)).mean()",
        ],
        "noise": ["noise.points = [0.1] * 5 + [None]"],
        "null": [
            "null_high = ece(rows['confidence'], rows['correct'].sample(frac=1, random_state=0))",
            "rng = np.random.default_rng(0)\nc = rows['confidence'].to_numpy()\n"
            "null_high = np.mean([ece(c, rng.random(len(c)) < c) for _ in range(200)])",
        ],
        "temperature": ["temperature = 0.5", "temperature = 1.5", "temperature = 5"],
        "risk": ["silence.points = [0.5] * 9 + [None]"],
        "coverage": [
            "coverage = (rows['confidence'] > 0.7).mean()",
            "coverage = 0.1",
            "coverage = 38.3",
        ],
    },
    "02_bias": {
        "gap": [
            "tpr_gap = (people['accepted'] == 'yes').groupby(people['group']).mean().diff().iloc[1]",
            "some = people[people['accepted'] == 'yes']\n"
            "tpr_gap = (some['qualified'] == 'yes').groupby(some['group']).mean().diff().iloc[1]",
            "tpr_gap = 0.164",
        ],
        "gaps": ["gaps.points = [0.1] * 5 + [None]"],
        "permutation": [
            "return 0.0",
            "one, two = (np.asarray(hit, float)[np.asarray(group) == name] for name in np.unique(group))\n"
            "rng = np.random.default_rng(seed)\n"
            "found = [rng.permutation(np.asarray(hit, float)) for _ in range(draws)]\n"
            "cut = [one[: len(two)].mean() - draw[: len(two)].mean() for draw in found]\n"
            "return float(np.mean(np.abs(cut) > abs(one.mean() - two.mean())))",
            "second = np.asarray(group) == np.unique(group)[1]\n"
            "hit, rng = np.asarray(hit, float), np.random.default_rng(seed)\n"
            "gap = lambda mask: hit[~mask].mean() - hit[mask].mean()\n"  # one-sided
            "return (1 + sum(gap(rng.permutation(second)) >= gap(second) for _ in range(draws))) / (1 + draws)",
        ],
        "fpr": [
            "return tpr * (1 - ppv) / ppv",
            "return 1 - ppv",
            "return base_rate * tpr * (1 - ppv) / (1 - base_rate)",
        ],
        "penalty": [
            "penalty = changed['value'].min()",
            "z = lambda p: np.log(p / (1 - p))\npenalty = (z(changed['score']) - z(changed['original_score'])).mean()",
            "to = changed[changed['term'] == 'religion: Muslim']\npenalty = to['value'].mean()",
            "penalty = 1.5",
        ],
    },
    "03_shift": {
        "months": ["hurt.points = [0.8, 0.8, 0.8, None]"],
        "bbse": [
            "share_good = np.mean(new_predicted == 'good')",
            "C = np.array([[np.mean(old['label'][old_predicted == i] == j) for j in classes] for i in classes])\n"
            "mu = np.array([np.mean(new_predicted == i) for i in classes])\n"
            "share_good = np.linalg.solve(C, mu)[1] * (old['label'] == 'good').mean()",
            "C = np.array([[np.mean((old_predicted == i) & (old['label'] == j)) for i in classes] for j in classes])\n"
            "mu = np.array([np.mean(new_predicted == i) for i in classes])\n"
            "share_good = np.linalg.solve(C, mu)[1]",
        ],
        "doc": [
            "estimate = {name: fitted.predict_proba(f['text']).max(axis=1).mean() for name, f in months.items()}",
            "estimate = {name: 0.878 for name in months}",
        ],
        "kinds": [
            "kinds = {'A': 'label', 'B': 'covariate', 'C': 'concept', 'D': 'none'}",
            "kinds = {'A': 'covariate', 'B': 'label', 'C': 'none', 'D': 'none'}",
            "kinds = dict.fromkeys('ABCD', 'drift')",
        ],
        "labels": ["labels = 195", "labels = 384", "labels = 195.9"],
    },
    "04_comparison": {
        "errors": [
            "difference = (answers['one'] - answers['two']).mean()\nse_paired, se_unpaired = 0.013, 0.027",
            "each = answers['two'] - answers['one']\ndifference, se_paired, se_unpaired = each.mean(), each.std(), 0.6",
            "each = answers['two'] - answers['one']\ndifference, se_paired = each.mean(), each.std() / 500**0.5\n"
            "se_unpaired = (answers['one'].std() + answers['two'].std()) / 500**0.5",
        ],
        "mcnemar": [
            "from scipy.stats import chi2\none, two = np.asarray(one), np.asarray(two)\n"
            "b, c = int((two > one).sum()), int((one > two).sum())\nreturn chi2.sf((b - c) ** 2 / (b + c), 1)",
            "one, two = np.asarray(one), np.asarray(two)\nb, c = int((two > one).sum()), int((one > two).sum())\n"
            "return binom.sf(max(b, c) - 1, b + c, 0.5)",
            "one, two = np.asarray(one), np.asarray(two)\nb, c = int((two > one).sum()), int((one > two).sum())\n"
            "return 2 * binom.sf(max(b, c) - 1, b + c, 0.5)",
        ],
        "power": ["power.points = [0.5] * 5 + [None]"],
        "needed": ["needed = 100", "needed = 385", "needed = int(np.ceil((2.8 * se_unpaired * 500**0.5 / 0.04) ** 2))"],
        "curse": [
            "exaggeration = np.abs(estimates).mean() / 0.04",
            "exaggeration = 1.0",
            "exaggeration = np.abs(estimates[np.abs(estimates) > 1.96 * errors]).mean()",
        ],
        "verdict": [
            "return 'undecided' if low <= 0 <= high else 'different'",
            "return 'equivalent' if low <= 0 <= high else 'different'",
            "small = -margin < (low + high) / 2 < margin\nzero = low <= 0 <= high\n"
            "return ('equivalent' if zero else 'negligible') if small else ('undecided' if zero else 'different')",
        ],
    },
    "05_honesty": {
        "looks": ["looks.points = [0.05] * 6 + [None]"],
        "holm": [
            "return np.minimum(1, p * len(p))",
            "order = np.argsort(p)\nout = np.empty(len(p))\n"
            "out[order] = np.minimum(1, p[order] * np.arange(len(p), 0, -1))\nreturn out",  # no running maximum
            "return np.minimum(1, np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1)))",  # sorted
        ],
        "bh": [
            "return np.minimum(1, p * len(p))",
            "order = np.argsort(p)\nout = np.empty(len(p))\n"
            "out[order] = np.minimum(1, p[order] * len(p) / np.arange(1, len(p) + 1))\nreturn out",
            "return holm(p)",
        ],
        "ways": [
            "naive, corrected, confirmed = 0.05, 0.05, 0.05",
            "naive = (explored.min(axis=1) <= 0.05).mean()\ncorrected = 0.0\n"
            "confirmed = (held.min(axis=1) <= 0.05).mean()",  # searches the held half, too
            "naive = (explored <= 0.05).mean()\ncorrected, confirmed = 0.03, 0.03",
        ],
        "confirm": [
            "found = real.confirm({'topic': 'law'})",
            "found = real.confirm([rules[p.argmin()], {'topic': 'law'}])",
        ],
        "alarm": [
            "expected, at_least_one = 3, 60 * 0.05",
            "expected, at_least_one = 3, 0.05",
            "expected, at_least_one = 0.05, 0.954",
        ],
    },
}


def read(chapter: str) -> Any:
    """Return a chapter."""
    import nbformat

    return nbformat.read(COURSE / f"{chapter}.ipynb", as_version=4)


def meta(cell: Any) -> dict[str, Any]:
    """Return what nbgrader knows of a cell."""
    return dict(cell.metadata.get("nbgrader", {}))


def exercises(cells: list[Any]) -> Iterator[tuple[str, int, int]]:
    """Return of each exercise with a check its name, and the places of its solution and of its check."""
    names = {meta(cell)["grade_id"]: place for place, cell in enumerate(cells) if meta(cell)}
    for name, place in names.items():
        if meta(cells[place])["solution"] and cells[place].cell_type == "code":
            yield name.partition("-")[2], place, names[f"{name}-check"]


def answered(source: str, code: str) -> str:
    """Return a solution cell with other code in place of the solution."""

    def put(found: "re.Match[str]") -> str:
        return "".join(f"{found[1]}{line}\n" for line in code.splitlines())

    assert SOLUTION.search(source)
    return SOLUTION.sub(put, source)


def names_of(source: str) -> set[str]:
    """Return the names that a cell assigns or defines at its top."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        for target in getattr(node, "targets", [getattr(node, "target", None)]):
            found |= (
                {one.id for one in ast.walk(target) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
                if target is not None
                else set()
            )
    return found


class Kernel:
    """A chapter's kernel, in which cells can be run again with other text."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def run(self, source: str) -> tuple[str, str]:
        """Return the name and the message of the error that a cell ends in, empty where it runs; or what it prints."""
        import nbformat
        from nbclient.exceptions import CellExecutionError

        cells = self.client.nb.cells
        cells.append(nbformat.v4.new_code_cell(source))
        try:
            cell = self.client.execute_cell(cells[-1], len(cells) - 1)
        except CellExecutionError as error:
            return error.ename, error.evalue
        return "", "".join(output.get("text", "") for output in cell.outputs if output.output_type == "stream")


@contextmanager
def opened(notebook: Any) -> Iterator[Kernel]:
    """Start a clean kernel for a notebook in the course's folder, as JupyterLab does."""
    from nbclient import NotebookClient

    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(COURSE)}})
    with client.setup_kernel():
        yield Kernel(client)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_runs_and_its_checks_tell_right_answers_from_wrong_ones(
    chapter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In under a minute of CPU and 2 GB; every wrong answer and every stub fails, with a sentence; then the right one passes."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    notebook = read(chapter)
    cells = list(notebook.cells)
    with opened(notebook) as kernel:
        for place, cell in enumerate(cells):
            if cell.cell_type == "code":
                kernel.client.execute_cell(cell, place)
        seconds, megabytes = map(float, kernel.run(USED)[1].split())
        assert seconds < SECONDS
        assert megabytes < MEGABYTES
        for name, solve, check in exercises(cells):
            makes = [cells[solve - 1].source] if "wb.draw(" in cells[solve - 1].source else []  # a curve shown is fixed
            gone = f"for _name in {sorted(names_of(cells[solve].source))!r}: globals().pop(_name, None)"
            for wrong in (STUB, *WRONG[chapter][name]):
                for source in (*makes, gone):
                    assert ("", "") == kernel.run(source)
                tried = kernel.run(answered(cells[solve].source, wrong))
                kind, said = kernel.run(cells[check].source)
                assert kind, f"{chapter}, {name}: the check passes on {wrong!r}"
                if wrong != STUB:
                    assert ("", "AssertionError") == (tried[0], kind), f"{chapter}, {name}, {wrong!r}: {tried} {said}"
                    assert len(said) > 10, f"{chapter}, {name}: no word of help for {wrong!r}"
            for source in (*makes, cells[solve].source):
                assert "" == kernel.run(source)[0]
            assert "" == kernel.run(cells[check].source)[0]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_cells_are_what_nbgrader_takes(chapter: str) -> None:
    """Schema 3: unique names, a solution to take out of every answer, points for every check, hidden tests that end."""
    cells = read(chapter).cells
    known = [meta(cell) for cell in cells if meta(cell)]
    names = [one["grade_id"] for one in known]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-zA-Z0-9_\-]+", name) for name in names)
    for cell in cells:
        one, source = meta(cell), cell.source
        assert source.count("### BEGIN SOLUTION") == source.count("### END SOLUTION") == int(one.get("solution", False))
        assert source.count("### BEGIN HIDDEN TESTS") == source.count("### END HIDDEN TESTS")
        if one:
            keys = {"grade", "grade_id", "locked", "schema_version", "solution", "task"} | (
                {"points"} if one["grade"] else set()
            )
            assert (keys, 3) == (set(one), one["schema_version"])
            assert one["locked"] is not one["solution"]
        assert "BEGIN HIDDEN" not in source or one["grade"]
    assert {name for name, *_ in exercises(cells)} == set(WRONG[chapter])
    assert any(one["grade"] and one["solution"] for one in known), "A question that a person marks"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_is_kept_without_outputs_and_has_what_each_has(chapter: str) -> None:
    """Goals, a prediction, a question for a report, limits and references; the instructor's notes give its answers."""
    notebook = json.loads((COURSE / f"{chapter}.ipynb").read_text())
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    notes = (COURSE / "instructors.md").read_text()

    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])
    for part in ("After this chapter you can", "**Predict", "What would you report?", "does not show", "## References"):
        assert part in text
    assert f"`{chapter}.ipynb`" in notes
    assert (
        counted(sum(cell["metadata"].get("nbgrader", {}).get("points", 0) for cell in notebook["cells"]), "point")
        in notes
    )


def test_students_get_the_chapters_without_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every solution is a stub, every hidden test is gone, all else is as it was; what a student has written is not overwritten."""
    module = runpy.run_path(str(COURSE / "student.py"))
    made = module["write"](tmp_path)

    assert [f"{chapter}.ipynb" for chapter in CHAPTERS] == [path.name for path in made]
    assert {"planted.py", *(path.name for path in made)} == {path.name for path in tmp_path.iterdir()}
    for path in made:
        before, after = (json.loads((folder / path.name).read_text())["cells"] for folder in (COURSE, tmp_path))
        for whole, cell in zip(before, after, strict=True):
            source, was = "".join(cell["source"]), "".join(whole["source"])
            one = cell["metadata"].get("nbgrader", {})
            assert "SOLUTION" not in source
            assert "HIDDEN" not in source
            if one.get("solution"):
                assert ("NotImplementedError" if cell["cell_type"] == "code" else "YOUR ANSWER HERE") in source
            elif "HIDDEN" not in was:
                assert (source, whole["metadata"]) == (was, cell["metadata"])
    made[0].write_text("mine")
    assert [] == module["write"](tmp_path)
    assert "mine" == made[0].read_text()
    assert "left as it is" in capsys.readouterr().out
