"""Several models here and elsewhere: rows are matched by example, the line is that of the models named, and refusals are said."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import make_pipeline

import workbench as wb
from workbench.errors import DataError, UsageError
from workbench.stats.robustness import effective_robustness

NAMES = ("one", "two", "three", "new")


def report(hits: np.ndarray, order: np.ndarray | None = None) -> wb.Report:
    """Return stored predictions with these hits, the rows in some order."""
    table = pd.DataFrame({"example": [f"q{i}" for i in range(len(hits))], "sure": 0.7, "hit": hits})
    return wb.from_predictions(
        table.iloc[order] if order is not None else table, confidence="sure", correct="hit", example="example"
    )


def hits_of(shares: tuple[float, ...], rows: int, seed: int) -> np.ndarray:
    """Return hits (models, rows) of these shares, with rows that are hard for all."""
    rng = np.random.default_rng(seed)
    easy = rng.random(rows)
    return np.array([(easy + rng.normal(0, 0.2, rows)) < share for share in shares]).astype(float)


INSIDE, OUTSIDE = hits_of((0.5, 0.7, 0.85, 0.8), 400, 1), hits_of((0.35, 0.5, 0.65, 0.75), 300, 2)


def test_the_numbers_are_those_of_the_hits() -> None:
    """Whatever the order of the rows and of the models, and names from the mapping."""
    order = np.random.default_rng(3).permutation(400)
    here = {name: report(hits, order if name == "two" else None) for name, hits in zip(NAMES, INSIDE, strict=True)}
    there = dict(reversed([(name, report(hits)) for name, hits in zip(NAMES, OUTSIDE, strict=True)]))
    found = wb.robustness(here, there, baseline=NAMES[:3])
    expected = effective_robustness(INSIDE, OUTSIDE, baseline=[True, True, True, False])
    table = found.metrics.set_index("model")

    assert list(NAMES) == list(table.index)
    np.testing.assert_allclose(table["value"], [one.value for one in expected.models], atol=1e-12)
    np.testing.assert_allclose(table["outside"], OUTSIDE.mean(axis=1))
    np.testing.assert_allclose(table["expected"] + table["value"], table["outside"])
    np.testing.assert_allclose(table["low"], [one.low for one in expected.models], atol=0.01)
    assert found.slope.value == pytest.approx(expected.slope.value)
    assert table["low"]["new"] > 0, "the planted model stands above the line"
    assert repr(found).count("not on the line") == 1
    assert (table["inside_low"] < table["inside"]).all()
    assert (table["outside"] < table["outside_high"]).all()
    behind = found.rows("two", "inside")
    assert (len(behind), behind["correct"].mean()) == (400, pytest.approx(table["inside"]["two"]))
    assert found.rows("new")["correct"].mean() == pytest.approx(OUTSIDE[3].mean())
    with pytest.raises(UsageError, match="Unknown model 'nww'. Did you mean 'new'"):
        found.rows("nww")
    with pytest.raises(UsageError, match="Unknown side 'out'. Did you mean 'outside'"):
        found.rows("new", "out")
    view = wb.explore(found)
    with pytest.raises(UsageError, match="No model is picked yet"):
        _ = view.selection
    view._hear(None, {"kind": "pick", "model": 1, "side": 0}, None)
    view._slow.join(30)
    assert wb.selection.equals(behind)
    assert (view.models.picked, view.explorer) == ({"model": 1, "side": 0, "said": ""}, view.children[1])
    view.pick("new")
    assert view.selection["correct"].mean() == pytest.approx(OUTSIDE[3].mean())
    for wrong in ({"model": 9, "side": 0}, {"model": 1, "side": "0"}, {}):
        view._hear(None, {"kind": "pick", **wrong}, None)
    assert 3 == view.models.picked["model"]
    with pytest.raises(UsageError, match="Did you mean 'new'"):
        view.pick("nww")
    page = found._repr_html_()
    assert "new stands above the line: 0.1" in page
    assert "<img" in page
    assert "<script" not in page


def test_rows_without_an_answer_are_left_out_for_all() -> None:
    """One model's missing rows leave the others' accuracy to the rows that all answered, and a note counts them."""
    holes = INSIDE.copy()
    holes[1, :40] = np.nan
    found = wb.robustness(
        *({name: report(hits) for name, hits in zip(NAMES, part, strict=True)} for part in (holes, OUTSIDE))
    )

    assert found.metrics["n_inside"].tolist() == [360] * 4
    np.testing.assert_allclose(found.metrics["inside"], INSIDE[:, 40:].mean(axis=1))
    assert "40 rows inside have no answer of some model" in found.notes[0]
    assert len(found.rows(next(iter(found.metrics["model"])), "inside")) == found.metrics["n_inside"].iloc[0]
    assert "A part: the 360 rows that all models answered." == found.report("one", "inside").notes[0]


def test_what_cannot_be_compared_is_said() -> None:
    """Other models, other examples, names that are one, too few models, and a name that is none."""
    here = {name: report(hits) for name, hits in zip(NAMES, INSIDE, strict=True)}
    there = {name: report(hits) for name, hits in zip(NAMES, OUTSIDE, strict=True)}

    with pytest.raises(UsageError, match="Pass a report of each model on both"):
        wb.robustness(here, {name: there[name] for name in NAMES[:3]})
    with pytest.raises(DataError, match="100 examples inside are not in both 'one' and 'new'"):
        wb.robustness({**here, "new": report(INSIDE[3][:300])}, there)
    with pytest.raises(UsageError, match="Two reports of inside are of"):
        wb.robustness(list(here.values()), list(there.values()))
    with pytest.raises(DataError, match="at least 3 models"):
        wb.robustness(here, there, baseline=["one", "two"])
    with pytest.raises(UsageError, match="Did you mean 'three'"):
        wb.robustness(here, there, baseline=["one", "two", "thre"])
    with pytest.raises(UsageError, match="report of each model"):
        wb.robustness(here["one"], there["one"])


def test_rows_in_clusters_are_drawn_as_clusters() -> None:
    """Four copies of each row inside, as clusters, are worth the rows; taken one by one the interval would be narrower."""
    table = pd.DataFrame({"example": [f"q{i}" for i in range(400)], "sure": 0.7, "group": np.repeat(range(100), 4)})
    copies = np.repeat(INSIDE[:, :100], 4, axis=1)

    def stored(rows: pd.DataFrame, **more: str) -> dict[str, wb.Report]:
        width = len(rows) // 100
        hits = copies if width == 4 else INSIDE[:, :100]
        return {
            name: wb.from_predictions(rows.assign(hit=hit), confidence="sure", correct="hit", example="example", **more)
            for name, hit in zip(NAMES, hits, strict=True)
        }

    there = {name: report(hits) for name, hits in zip(NAMES, OUTSIDE, strict=True)}
    once, alone, together = (
        wb.robustness(one, there, baseline=NAMES[:3]).metrics.set_index("model")
        for one in (stored(table[:100]), stored(table), stored(table, cluster="group"))
    )

    def wide(found: pd.DataFrame) -> float:
        return float((found["high"] - found["low"]).mean())

    assert wide(together) == pytest.approx(wide(once), rel=0.08)
    assert wide(alone) < 0.9 * wide(together)
    assert "draws of clusters" in together["method"].iloc[0]
    assert together.loc["one", "inside_high"] - together.loc["one", "inside_low"] > 1.7 * (
        alone.loc["one", "inside_high"] - alone.loc["one", "inside_low"]
    )
    single = wb.robustness(stored(table.assign(group="all"), cluster="group"), there, draws=20)
    assert single.notes == ("All rows inside are of one cluster, so that no interval can be given.",)
    assert "(no interval)" in repr(single)
    assert "nan" not in repr(single)


@pytest.mark.data
def test_the_example_of_the_page(benchmark_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three logistic regressions of SST-2 make the line; naive Bayes, better at home, falls below it on IMDb."""
    monkeypatch.setenv("WORKBENCH_DATA", str(benchmark_data))
    train = wb.benchmark("sst2", split="train").frame
    here, there = wb.benchmark("sst2", split="test"), wb.benchmark("textfooler", corpus="imdb")
    pipes = {
        f"logistic {most}": make_pipeline(TfidfVectorizer(max_features=most), LogisticRegression())
        for most in (50, 500, None)
    } | {"naive Bayes": make_pipeline(CountVectorizer(), BernoulliNB())}
    models = {name: wb.load(pipe.fit(train["text"], train["label"])) for name, pipe in pipes.items()}
    found = wb.robustness(
        *({name: wb.run("calibration", model, rows) for name, model in models.items()} for rows in (here, there)),
        baseline=list(pipes)[:3],
    )
    table = found.metrics.set_index("model")

    assert table["inside"].tolist() == pytest.approx([0.600, 0.739, 0.791, 0.815], abs=0.003)
    assert table["outside"].tolist() == pytest.approx([0.617, 0.728, 0.756, 0.715], abs=0.005)
    assert table["high"]["naive Bayes"] < -0.02
