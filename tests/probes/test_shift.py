"""The shift probe: planted and absent shifts on every representation, order, slices, warnings, and what it refuses."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser
from scipy.stats import chi2_contingency, ks_2samp

import workbench as wb
from workbench.errors import DataError, UsageError
from workbench.frames import seed_of
from workbench.models.verbs import Classes, Embeddings, ModelInfo, Monitor
from workbench.stats.mmd import Settings, mmd

CLASSES = ("news", "spam", "talk")


class Planted:
    """Embeds "set number" as a Gaussian vector, moved for the set "b"; classifies a text as its last word."""

    name = "planted"
    verbs = frozenset({"embed", "classify"})
    model = None
    tokenizer = None
    info = ModelInfo("planted", "embedder")

    def __init__(self, shift: float = 2.0, *, stop_after: int | None = None) -> None:
        self.shift, self.stop_after = shift, stop_after
        self.asked: list[dict[str, Any]] = []

    def embed(self, texts: Sequence[str], *, monitor: Monitor | None = None, **options: Any) -> Embeddings:
        """Draw each vector from the text's own seed."""
        self.asked.append(options)
        done = np.arange(len(texts)) < (len(texts) if self.stop_after is None else self.stop_after)
        vectors = np.full((len(texts), 6), np.nan, np.float32)
        for i in np.flatnonzero(done):
            vectors[i] = np.random.default_rng(seed_of(texts[i])).normal(size=6)
            vectors[i, 0] += self.shift * texts[i].startswith("b")
        return Embeddings(vectors, done)

    def classify(self, inputs: Sequence[Any], *, monitor: Monitor | None = None) -> Classes:
        """Give the named class 0.7 to 0.8, the rest to the others."""
        table = np.zeros((len(inputs), 3))
        for i, text in enumerate(inputs):
            sure = 0.7 + 0.1 * np.random.default_rng(seed_of(text)).random()
            table[i] = (1 - sure) / 2
            table[i, CLASSES.index(text.split()[-1])] = sure
        return Classes(CLASSES, table, None, np.ones(len(inputs), dtype=bool))


def texts(name: str, n: int, **columns: Any) -> wb.Examples:
    """Return n examples of a set."""
    return wb.Examples.of(
        [{"text": f"{name} {i}", **{k: v[i] for k, v in columns.items()}} for i in range(n)], name=name
    )


def classified(name: str, n: int, shares: Sequence[float], *, labelled: bool) -> wb.Examples:
    """Return texts whose last word is what the classifier says: the label, in 8 of 10 texts."""
    rng = np.random.default_rng(seed_of(name))
    true = rng.choice(3, n, p=shares)
    said = np.where(rng.random(n) < 0.7, true, rng.integers(0, 3, n))
    lines = [
        {"text": f"{name} {i} {CLASSES[k]}", "label": CLASSES[t]}
        for i, (t, k) in enumerate(zip(true, said, strict=True))
    ]
    return wb.Examples.of(lines if labelled else [{"text": line["text"]} for line in lines], name=name)


def table(n: int = 120, seed: int = 0) -> pd.DataFrame:
    """Return two periods: x moved, y did not and has gaps, kind is rarer later."""
    rng = np.random.default_rng(seed)
    period = np.repeat(["early", "late"], [n, n - 20])
    late = period == "late"
    y = rng.normal(size=len(late))
    y[rng.random(len(late)) < 0.1] = np.nan
    kind = np.where(rng.random(len(late)) < np.where(late, 0.2, 0.6), "a", "b")
    return pd.DataFrame(
        {"x": rng.normal(0.8 * late), "y": y, "kind": kind, "period": period, "site": rng.choice(["n", "s"], len(late))}
    )


def value(report: wb.Report, metric: str, group: str = "all", column: str = "value") -> float:
    """Return one number of the metrics."""
    found = report.metrics.query("metric == @metric and group == @group")
    assert len(found) == 1
    return float(found[column].iloc[0])


@pytest.mark.parametrize("test", ["auto", "energy", "ks", "c2st"])
def test_a_planted_shift_is_found_and_its_absence_is_not(test: str) -> None:
    """A small p with a shift, not without; rows of the new set are more typical of it; the sentence is the report's."""
    moved = wb.run("shift", Planted(), texts("b", 60), reference=texts("a", 80), test=test)
    still = wb.run("shift", Planted(0.0), texts("b", 60), reference=texts("a", 80), test=test)
    side = moved.rows.groupby("set")["contribution"].mean()

    assert value(moved, "p_value") <= 0.002 < 0.05 < value(still, "p_value")
    assert side["new"] > side["reference"]
    assert moved.findings[0] == moved.tables["tests"]["sentence"][0]
    assert "the sets differ at level 0.05" in repr(moved)
    assert "no difference was found at level 0.05" in still._repr_html_()
    assert all(chart.to_dict() for chart in moved.charts().values())


def test_the_numbers_are_those_of_the_vectors() -> None:
    """MMD²_u and p are the statistic's own on the rows' vectors, and the rows' contributions add up to it."""
    report = wb.run("shift", Planted(0.7), texts("b", 50), reference=texts("a", 70), width=2.5, draws=199)
    rows = report.rows.sort_values(["set", "example"])
    sides = [np.stack(part["vector"].tolist()) for _, part in rows.groupby("set")]
    expected = mmd(sides[1], sides[0], settings=Settings(width=2.5, draws=199))
    mean = rows.groupby("set")["contribution"].mean()

    assert value(report, "mmd2") == pytest.approx(expected.value, abs=1e-12)
    assert value(report, "p_value") == expected.p
    assert mean["new"] - mean["reference"] == pytest.approx(expected.value, abs=1e-9)
    assert (value(report, "mmd2", column="low"), value(report, "mmd2", column="high")) == pytest.approx(expected.band)
    assert report.tables["tests"][["draws", "exact", "n_reference", "n_new"]].iloc[0].tolist() == [199, True, 70, 50]


def test_sets_of_one_size_take_sign_flips() -> None:
    """Named as another statistic; method="permutation" has the usual one."""
    report = wb.run("shift", Planted(), texts("b", 40), reference=texts("a", 40))
    usual = report.with_options(method="permutation")

    assert "mmd2_over_pairs" in set(report.metrics["metric"])
    assert "sign flips, exact" in report.findings[0]
    assert "mmd2" in set(usual.metrics["metric"])
    with pytest.raises(UsageError, match="Option 'test' changes what the model is asked"):
        report.with_options(test="energy")


def test_order_changes_nothing() -> None:
    """Rows in any order give the same metrics and contributions."""
    new, old = texts("b", 40), texts("a", 50)
    turned = [wb.Examples.of(each.frame[::-1], example="example", name=each.name) for each in (new, old)]
    first, second = (
        wb.run("shift", Planted(0.3), each, reference=other) for each, other in ((new, old), (turned[0], turned[1]))
    )
    merged = first.rows.merge(second.rows, on=["example", "variant"])

    pd.testing.assert_frame_equal(first.metrics, second.metrics)
    assert merged["contribution_x"].to_numpy() == pytest.approx(merged["contribution_y"].to_numpy(), abs=1e-12)


def test_columns_are_tested_one_by_one() -> None:
    """Without a model: SciPy's distances and chi-squared, gaps left out and counted, p corrected over the three columns."""
    frame = table()
    made = wb.Examples.of(frame, features=["x", "y", "kind"], name="table")
    report = wb.run("shift", None, made, split="period", reference="early", on="columns", by="site")
    lines = report.tables["columns"].set_index("column")
    early, late = (frame[frame["period"] == name] for name in ("early", "late"))
    chi = chi2_contingency(pd.crosstab(frame["period"], frame["kind"]), correction=False)

    assert list(lines.index)[:2] == ["kind", "x"] or list(lines.index)[:2] == ["x", "kind"]
    for name in ("x", "y"):
        assert lines.loc[name, "value"] == pytest.approx(ks_2samp(early[name].dropna(), late[name].dropna()).statistic)
    assert lines.loc["kind", ["value", "p"]].tolist() == pytest.approx([chi.statistic, chi.pvalue])
    assert lines.loc["y", "n_reference"] == early["y"].notna().sum()
    assert lines["p_bonferroni"].tolist() == pytest.approx(np.minimum(1, 3 * lines["p"]).tolist())
    assert value(report, "p_value") == pytest.approx(lines["p_bonferroni"].min())
    assert value(report, "columns_shifted") == pytest.approx(2 / 3)
    assert value(report, "ks_distance", "column=x") > value(report, "ks_distance", "column=x", "high")
    assert any("rows lack a value in some column" in note for note in report.notes)
    assert {"site=n", "site=s"} <= set(report.metrics.query("metric == 'p_value_bh'")["group"])
    assert report.title == "Shift"
    assert "wb.run('shift', None, table" in report.record.command


@pytest.mark.parametrize("test", ["mmd", "c2st", "chi2"])
def test_columns_are_tested_together(test: str) -> None:
    """Whole rows, with numbers in standard deviations and categories as 0 and 1; rows with a gap are left out and counted."""
    made = wb.Examples.of(table(), features=["x", "y", "kind"], name="table")
    report = wb.run(
        "shift", None, made, split="period", reference="early", on="columns", test=test, columns=["x", "kind"]
    )
    everything = wb.run("shift", None, made, split="period", reference="early", on="columns", test=test)

    assert value(report, "p_value") < 0.01
    assert value(report, "p_value", column="n") == 220
    assert value(everything, "p_value", column="n") == (220 if test == "chi2" else table()["y"].notna().sum())


def test_a_planted_label_shift_is_recovered() -> None:
    """BBSE's shares of 1,500 new rows lie within their bounds; weights by class have intervals; chi-squared finds it."""
    old, new = (
        classified("old", 1500, [0.5, 0.3, 0.2], labelled=True),
        classified("new", 1500, [0.2, 0.2, 0.6], labelled=False),
    )
    report = wb.run("shift", Planted(), new, reference=old, on="softmax", test="bbse")
    weights = report.tables["weights"].set_index("class")
    counted = wb.run("shift", Planted(), new, reference=old, on="softmax", test="chi2")

    assert weights["share"].tolist() == pytest.approx([0.2, 0.2, 0.6], abs=0.06)
    assert ((weights["share_low"] < [0.2, 0.2, 0.6]) & (weights["share_high"] > [0.2, 0.2, 0.6])).all()
    assert value(report, "label_weight", "class=talk") == pytest.approx(weights["weights"]["talk"])
    assert value(report, "p_value") == value(counted, "p_value") < 1e-6
    assert report.rows.groupby("set")["contribution"].mean()["new"] > 1
    assert wb.run("shift", Planted(), new, reference=old, on="softmax").metrics["metric"].iloc[1] == "mmd2_over_pairs"
    with pytest.raises(DataError, match="needs reference examples with labels"):
        _ = wb.run("shift", Planted(), old, reference=new, on="softmax", test="bbse").metrics


def test_a_confused_classifier_warns() -> None:
    """The finding says that the weights cannot be trusted."""
    rng = np.random.default_rng(0)
    lines = [{"text": f"old {i} {rng.choice(CLASSES)}", "label": str(rng.choice(CLASSES))} for i in range(60)]
    report = wb.run(
        "shift",
        Planted(),
        classified("new", 60, [1 / 3] * 3, labelled=False),
        reference=wb.Examples.of(lines),
        on="softmax",
        test="bbse",
    )

    assert any("The weights cannot be trusted" in finding for finding in report.findings)


def test_tokens_need_no_model() -> None:
    """Counts of characters and words by column; longer texts are found; a model that scores adds what it expects."""
    old = wb.Examples.of([{"text": "word " * (3 + i % 3) + str(i)} for i in range(40)], name="short")
    new = wb.Examples.of([{"text": "Word, " * (9 + i % 4) + str(i)} for i in range(40)], name="long")
    lines = wb.run("shift", None, new, reference=old, on="tokens").tables["columns"].set_index("column")

    assert lines.loc[["characters", "words", "punctuation", "capitals"], "p_bonferroni"].max() < 1e-6
    assert lines.loc["non_ascii", "p"] == 1


def test_hidden_states_take_layer_and_pooling() -> None:
    """The options reach the model on hidden, and do not on embedding."""
    model = Planted()
    wb.run("shift", model, texts("b", 5), reference=texts("a", 5), on="hidden", layer=3, pooling="last")
    wb.run("shift", model, texts("b", 5), reference=texts("a", 5), layer=3)

    assert model.asked == [{"layer": 3, "pooling": "last"}, {}]


def test_rows_that_depend_on_each_other_are_warned_of() -> None:
    """Clusters, texts in both sets, and an order in which neighbours are alike."""
    author = [str(i // 4) for i in range(60)]
    shared = wb.run("shift", Planted(), texts("b", 60, cluster=author), reference=texts("a", 60)).notes
    both = wb.run("shift", Planted(), texts("a", 30), reference=texts("a", 40)).notes
    line = wb.Examples.of(pd.DataFrame({"x": np.arange(80.0)}), features=["x"])
    ordered = wb.run("shift", None, line, reference=line.sample(40), on="columns").notes
    drawn = wb.run("shift", None, line.sample(60, seed=1), reference=line.sample(40), on="columns").notes

    assert any(
        "Rows belong together: 120 rows are 75 clusters. Whole clusters change places" in note for note in shared
    )
    assert any("clusters hold 4.0 and 1.0 rows on average" in note for note in shared)
    assert any("30 texts stand in both sets" in note for note in both)
    assert any("The new rows are ordered: neighbours are more alike" in note for note in ordered)
    assert not any("ordered" in note for note in drawn)  # a sample comes as it was drawn, not in the order of the file
    assert len(wb.run("shift", Planted(), texts("b", 60), reference=texts("a", 60)).notes) == 1


def test_clusters_change_places_whole() -> None:
    """Eight authors of ten texts a side, one of them in both sets: the test by cluster is that of the statistics, in slices too."""
    rng = np.random.default_rng(13)
    sets = []
    for side in (0, 1):
        authors = np.repeat([f"writer {7 * side + i}" for i in range(8)], 10)  # writer 7 is in both
        values = np.repeat(rng.normal(0, 1, (8, 2)), 10, axis=0) + rng.normal(0, 0.3, (80, 2))
        table = pd.DataFrame({"a": values[:, 0], "b": values[:, 1], "author": authors, "part": np.tile(["x", "y"], 40)})
        table["alone"] = np.where(authors == authors[0], "one", "others")
        slices = ["part", "alone"]
        sets.append(wb.Examples.of(table, features=["a", "b"], cluster="author", slices=slices, name=f"set {side}"))
    old, new = sets
    report = wb.run("shift", None, new, reference=old, on="columns", columns=["a", "b"], test="mmd", width=1.0)
    line, p = report.tables["tests"].iloc[0], report.metrics.query("metric == 'p_value'").set_index("group")
    plain = [one.drop_duplicates("cluster") for one in (report.rows.query("new == 0"), report.rows.query("new == 1"))]
    by_row = wb.run("shift", None, new, reference=old, on="columns", columns=["a", "b"], test="ks")

    assert line["how"] == "permutations of whole clusters"
    assert [len(one) for one in plain] == [8, 8]
    assert p.loc["all", "value"] > 0.05
    assert p.loc["part=x", "value"] > 0.05
    assert np.isnan(p.loc["alone=one", "value"])
    assert "two clusters of both sets" in p.loc["alone=one", "method"]
    assert by_row.metrics.query("metric == 'p_value' and group == 'all'")["value"].iloc[0] < 0.01
    assert any("The test 'ks' supposes independent rows" in note for note in by_row.notes)


def test_a_hold_out_slices_and_a_file(tmp_path: Path) -> None:
    """Held-out rows are in no number; a saved report tells the same; a slice without one set says so."""
    kind = ["x" if i % 2 else "y" for i in range(60)]
    new = texts("b", 60, kind=kind)
    old = texts("a", 60, kind=["x"] * 60)
    report = wb.run("shift", Planted(), new, reference=old, by="kind", holdout=0.5)
    report.save(tmp_path / "a")
    again = wb.open(tmp_path / "a")

    assert value(report, "p_value", column="n") == len(report.explored) == 60
    assert np.isnan(value(report, "p_value", "kind=y"))
    assert again.metrics.equals(report.metrics)
    assert again.findings == report.findings
    assert again.where(kind="x").metrics.query("metric == 'p_value'")["value"].iloc[0] < 0.05
    assert again.record.options["reference"]["n"] == 60


def test_a_stopped_run_keeps_what_it_has() -> None:
    """The new rows that were not reached are missing."""
    report = wb.run("shift", Planted(stop_after=70), texts("b", 40), reference=texts("a", 50))

    assert report.outcome == "interrupted"
    assert (report.record.done, len(report.rows)) == (20, 70)


def test_what_cannot_be_asked_is_said() -> None:
    """No vectors, no model, no second set, a test that does not fit, columns that are not there."""
    new, old = texts("b", 5), texts("a", 5)

    said = wb.run("shift", Chooser(), new, reference=old).notes[0]
    assert "Not applicable: this question needs vectors" in said
    assert "Compare something else with on=: 'tokens'" in said
    assert "no model was given" in wb.run("shift", None, new, reference=old).notes[0]
    with pytest.raises(UsageError, match="compares two sets. Give the other one with reference="):
        wb.run("shift", Planted(), new)
    with pytest.raises(UsageError, match="test='bbse' needs on='softmax'; it is 'embedding', which takes mmd, energy"):
        wb.run("shift", Planted(), new, reference=old, test="bbse")
    with pytest.raises(UsageError, match="Unknown value of period"):
        wb.run("shift", None, wb.Examples.of(table(), features=["x"]), split="period", reference="never", on="columns")
    with pytest.raises(DataError, match="needs the column.s. z"):
        wb.run("shift", None, new, reference=old, on="columns", columns=["z"])
    with pytest.raises(DataError, match="share no column to compare"):
        wb.run("shift", None, new, reference=old, on="columns")
    with pytest.raises(UsageError, match="The probe 'calibration' needs a model"):
        wb.run("calibration", None, "facts")
    assert np.isnan(value(wb.run("shift", Planted(), texts("b", 1), reference=old), "p_value"))


def test_texts_are_escaped_and_the_explorer_opens() -> None:
    """A text that would run does not; brushing the contribution selects rows."""
    new = wb.Examples.of([{"text": f"b <script>alert({i})</script>"} for i in range(12)])
    report = wb.run("shift", Planted(), new, reference=texts("a", 12))

    assert "<script>alert" not in report.html()
    assert wb.explore(report) is not None
