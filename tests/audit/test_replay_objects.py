"""Replay of models that were given as objects, and of reports that were opened from a file."""

from pathlib import Path

import pytest
import tiny
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import workbench as wb
from workbench.audit._changes import in_model
from workbench.audit._opened import held_by
from workbench.errors import UsageError

TEXTS = ["a good film", "an awful film", "good", "a bad, bad day"]


def pipeline() -> object:
    """Return a fitted pipeline of texts."""
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, ["yes", "no", "yes", "no"])


def test_a_callable_is_given_in_place(tmp_path: Path) -> None:
    """A model that has no name to load is asked for, and may be given; another one in its place shows in the numbers."""

    def model(shift: float) -> wb.Report:
        return wb.load(
            lambda texts: [[0.6 + shift, 0.4 - shift]] * len(texts), labels=["no", "yes"], name="fixed", cache=False
        )

    data = wb.Examples.of([{"id": f"t{i}", "text": f"text {i}", "label": "yes" if i % 3 else "no"} for i in range(9)])
    audit = wb.freeze(wb.run("calibration", model(0.0), data, draws=50), to=tmp_path / "audit", pictures=False)

    alone, same, other = (
        wb.replay(audit, models=models) for models in (None, {"fixed": model(0.0)}, {"fixed": model(0.1)})
    )
    assert (2, 0, 1) == (alone.code, same.code, other.code)
    assert "whether a model is the same cannot be told" in same.verdict
    assert ["identity"] == same.changes["kind"].tolist()
    assert "It was given as an object (a callable)" in alone.changes["now"].iloc[0]
    with pytest.raises(UsageError, match="Did you mean 'fixed'"):
        wb.replay(audit, models={"fixd": model(0.0)})


def test_a_pipeline_that_was_fitted_alike_is_the_same_model(tmp_path: Path) -> None:
    """Every number comes back, and so does the model; a weight that was changed is named with its step."""
    data = wb.Examples.of([{"id": f"t{i}", "text": text, "label": "yes"} for i, text in enumerate(TEXTS)])
    model = wb.load(pipeline(), name="mine")  # held until it is frozen, so that its attributes can be marked
    audit = wb.freeze(wb.run("calibration", model, data, draws=20), to=tmp_path / "audit", pictures=False)
    changed = pipeline()
    changed[-1].coef_[0, 2] += 0.5  # type: ignore[index]
    same, other = (wb.replay(audit, models={"mine": wb.load(one, name="mine")}) for one in (pipeline(), changed))

    assert (0, "Every number was reproduced.", 0) == (same.code, same.verdict, len(same.changes))
    assert 1 == other.code
    assert [("weights", "mine"), ("tensor", "logisticregression.coef_")] == list(
        other.changes[["kind", "name"]].itertuples(index=False, name=None)
    )


def test_hashes_that_were_made_otherwise_are_not_held_against_each_other() -> None:
    """A record of an earlier version has joblib's hash: no weight is said to have changed."""
    model = wb.load(pipeline(), name="mine")
    about = {"name": "mine", "dtype": "float64", "device": model.info.device, "weights_hash": "joblib 123"}

    assert [("identity", "its hash was made in another way: whether it is the same model cannot be compared")] == [
        (change.kind, change.now) for change in in_model("01", about, model, {})
    ]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return the folder of a tiny language model, which a record names."""
    tiny.language_model().save_pretrained(tmp_path / "model")
    tiny.tokenizer().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_a_report_from_a_file_is_asked_again_by_its_record(place: Path, tmp_path: Path) -> None:
    """Its model is loaded by name, its examples are read from their pack by the steps or the ids; options and slices come back."""
    pack, options = wb.pack("mini"), {"by": [], "holdout": 0.3, "seed": 3, "draws": 20}
    parts = [pack.sample(6, seed=2), pack.where(pack.frame["example"].tolist()[:5])]
    model = wb.load(str(place))
    saved = [
        wb.run("calibration", model, part, scoring="letters", **options).save(tmp_path / f"{at}")
        for at, part in enumerate(parts)
    ]
    audit = wb.freeze(*map(wb.open, saved), to=tmp_path / "audit", pictures=False)
    made = wb.replay(audit)

    assert 0 == made.code, repr(made)
    assert all("run again on cpu" in told for told in made.told)
    assert {"reproduced"} == set(made.metrics["verdict"])
    assert not list(audit.glob("data/*.jsonl"))  # by name, as of a live report


def test_a_reference_among_the_options_is_read_again(tmp_path: Path) -> None:
    """Examples that were an option come back from their pack."""
    pack = wb.pack("mini")
    old, new = pack.sample(8, seed=1), pack.sample(8, seed=2)
    saved = wb.run("shift", None, new, by=[], reference=old, on="columns", columns=("domain",), draws=20).save(
        tmp_path / "one"
    )
    made = wb.replay(wb.freeze(wb.open(saved), to=tmp_path / "audit", pictures=False))

    assert (0, True) == (made.code, "run again" in made.told[0]), repr(made)


def test_a_report_whose_examples_are_gone_is_replayed_from_its_rows(tmp_path: Path) -> None:
    """Examples that no name gives back: the numbers come from the rows, and the folder says why. So do another report's rows."""
    data = wb.Examples.of([{"id": f"t{i}", "text": f"text {i}", "label": "yes" if i % 3 else "no"} for i in range(9)])
    model = wb.load(lambda texts: [[0.4, 0.6]] * len(texts), labels=["no", "yes"], name="fixed", cache=False)
    report = wb.run("calibration", model, data, draws=50)
    opened, derived = (wb.open(one.save(tmp_path / one.probe)) for one in (report, wb.run("slices", report, draws=20)))
    audit = wb.freeze(opened, derived, to=tmp_path / "audit", pictures=False)
    made, page = wb.replay(audit), (audit / "README.md").read_text()

    assert 0 == made.code
    assert "opened from a file. Its record names no pack and no published set that the examples 'examples'" in page
    assert "The report is of another report's rows." in page


def test_a_part_that_its_pack_does_not_give_is_said(tmp_path: Path) -> None:
    """The hash of the record is that of the examples that were asked; changed texts have another."""
    pack = wb.pack("mini").sample(8)
    worse = pack.corrupt("keyboard", severity=5)
    options = {"reference": pack, "on": "columns", "columns": ("domain",), "draws": 20}
    held = held_by(wb.open(wb.run("shift", None, worse, by=[], **options).save(tmp_path / "one")))

    assert held.examples is None
    assert "were of the pack 'mini', and none of its parts has the hash of the record now" in held.why
