"""The magics of an audit call the API, and say what a line lacks."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.error import UsageError
from workbench_ipython.completion import suggestions

import workbench as wb


@pytest.fixture
def known(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a shell in an empty folder, with a report in the variables one and two."""
    monkeypatch.chdir(tmp_path)
    for name, seed in (("one", 0), ("two", 1)):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(
            {"example": range(50), "confidence": rng.beta(4, 1.2, 50), "correct": rng.integers(0, 2, 50)}
        )
        shell.user_ns[name] = wb.from_predictions(frame, name=name, draws=20)
    return shell


def test_freeze_writes_and_replay_makes_again(known: Any) -> None:
    """A folder of two reports with its words, made again from its variable and by its path."""
    folder = known.run_line_magic("freeze", "one two --to kept --notes 'For {November}.' --no-pictures")
    made = known.run_line_magic("replay", "audit --from-rows -o again")

    assert Path("kept") == folder == known.user_ns["audit"]
    assert "For {November}." in (folder / "README.md").read_text()
    assert (0, 2, made) == (made.code, len(made.told), known.user_ns["again"])
    assert ["kept"] == suggestions("%replay k", known.user_ns)
    with pytest.raises(UsageError, match="replace it: overwrite=True"):
        known.run_line_magic("freeze", "one --to kept")
    with pytest.raises(UsageError, match="arguments are required: --to"):
        known.run_line_magic("freeze", "one")
    with pytest.raises(UsageError, match="mine=nothing: there is no variable 'nothing'"):
        known.run_line_magic("replay", "kept --model mine=nothing")
    with pytest.raises(UsageError, match="--model 'mine' is not NAME=VARIABLE"):
        known.run_line_magic("replay", "kept --model mine")
    with pytest.raises(UsageError, match="no frozen audit"):
        known.run_line_magic("replay", "elsewhere")


def test_replay_takes_a_model_from_a_variable(known: Any) -> None:
    """The model of a record by its name, which may have spaces and an equals sign."""
    known.user_ns["model"] = wb.load(
        lambda texts: [[0.3, 0.7]] * len(texts), labels=["no", "yes"], name="my model=1", cache=False
    )
    data = [{"id": f"t{i}", "text": f"text {i}", "label": "yes"} for i in range(6)]
    wb.freeze(wb.run("calibration", known.user_ns["model"], data, draws=20), to="kept", pictures=False)

    assert 2 == known.run_line_magic("replay", "kept").code
    assert 0 == known.run_line_magic("replay", "kept --model 'my model=1=model'").code


def test_fragility_takes_settings_with_commas(known: Any) -> None:
    """Choices with commas or as a list, several reports as a choice, and the number to look at."""
    found = known.run_line_magic("fragility", "one bins=5,10 metric=smooth_ece,l2_debiased --null -0.1")

    assert (4, ("bins", "metric"), -0.1) == (len(found.specifications), found.choices, found.null)
    assert found is known.user_ns["fragile"]
    assert ["5", "10"] == list(dict.fromkeys(found.specifications["bins"].map(str)))
    both = known.run_line_magic("fragility", "one two seed=1,2 --metric accuracy -o both")
    assert {"one", "two"} == set(both.specifications["report"])
    with pytest.raises(UsageError, match="Did you mean 'bins'"):
        known.run_line_magic("fragility", "one bin=5,10")
    with pytest.raises(UsageError, match="nothing to vary"):
        known.run_line_magic("fragility", "one")
    assert ["bins=15"] == suggestions("%fragility one bins", known.user_ns)


def test_robustness_takes_a_report_of_each_model_on_both_sides(known: Any) -> None:
    """Reports in one order; the models' names are those of the line."""
    frame = pd.DataFrame({"example": range(200), "confidence": 0.8})
    for side, rights in (("here", (120, 140, 160, 150)), ("far", (80, 100, 128, 140))):
        for name, right in zip("abcd", rights, strict=True):
            rows = frame.assign(correct=(np.arange(200) < right).astype(int))
            known.user_ns[f"{side}_{name}"] = wb.from_predictions(rows, name=name, draws=20)
    line = "--inside here_a here_b here_c here_d --outside far_a far_b far_c far_d"
    found = known.run_line_magic("robustness", f"{line} --baseline a b c --draws 50")

    assert [True, True, True, False] == found.metrics["baseline"].tolist()
    assert found is known.user_ns["robust"]
    with pytest.raises(UsageError, match="--inside names 1 reports and --outside 2"):
        known.run_line_magic("robustness", "--inside here_a --outside far_a far_b")


def test_draw_opens_the_axes_of_a_curve(known: Any) -> None:
    """The curve of a report by its name; another word is no curve."""
    drawing = known.run_line_magic("draw", "one risk_coverage")

    assert drawing is known.user_ns["drawing"]
    with pytest.raises(UsageError, match="reliability"):
        known.run_line_magic("draw", "one relability")
