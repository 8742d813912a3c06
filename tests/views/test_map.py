"""The heat map of a view: which lines and cells it has, and how far rows of one cell resemble each other."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.probes import dialect
from workbench.stats import intervals
from workbench.views import _fields, _map
from workbench.views._lens import lens_of
from workbench.views._page import about
from workbench.views.canvas import explore


def stored(n: int = 120, **columns: Any) -> wb.Report:
    """Return StereoSet's scores of three terms, of which "nurse" is always preferred in its stereotype."""
    rng = np.random.default_rng(1)
    target = np.resize(["nurse", "Ghana", "sister"], n)
    scores = {f"score_{name}": rng.random(n) for name in ("stereotype", "anti_stereotype", "unrelated")}
    frame = pd.DataFrame({"target": target, **scores, **columns})
    frame.loc[frame["target"] == "nurse", "score_stereotype"] += 1
    return wb.from_predictions(frame, probe="stereoset")


def test_the_map_of_stereoset_has_its_terms_and_scores() -> None:
    """SS and LMS by target, as in the table of terms; the term is a field that a click can brush."""
    report = stored()
    lens = lens_of(report)
    assert lens.map is not None
    field = lens.fields[lens.map.at]
    terms = report.tables["terms"].set_index("target")

    assert field.name == "target"
    assert [one.title for one in lens.map.measures] == ["SS", "LMS"]
    for code, label in enumerate(field.labels):
        for measure, column in zip(lens.map.measures, ("ss", "lms"), strict=True):
            assert measure.values[field.codes == code].mean() == pytest.approx(terms.loc[label, column])
    told = about(report, lens)["map"]
    assert (told["field"], [one["share"] for one in told["measures"]]) == (lens.map.at, [True, True])
    assert "SS from 50 %: orange is above, blue below" in told["caption"]
    explorer: Any = explore(report)
    assert np.frombuffer(explorer.measures, np.float32).shape == (2 * 120,)


def test_rows_of_a_term_that_is_a_cluster_count_each() -> None:
    """StereoSet draws terms: within the cell of one, its sentences are what was drawn."""
    found = lens_of(stored()).map
    assert found is not None
    assert [one.effect.effect for one in found.measures] == [1.0, 1.0]


def test_rows_of_one_cluster_and_term_count_as_fewer() -> None:
    """Two copies of a row in a term are one row; the quantile is that of the clusters of a term."""
    rng = np.random.default_rng(0)
    view = dialect.PROBE.view
    association = np.repeat(rng.normal(size=30), 4)
    rows = pd.DataFrame(
        {"attribute": np.resize(["calm", "loud"], 120), "cluster": np.repeat(np.arange(30), 4), "group": "all"}
    )
    rows = rows.assign(association=association, raised=(association > 0).astype(float))
    found = _map.map_of(rows, _fields.view_fields(rows, (), view), view)
    assert found is not None
    measure = found.measures[0]
    assert [one.title for one in found.measures] == [
        "Association"
    ]  # rows without the other measure have no column of it
    assert not measure.share
    assert measure.effect.effect == pytest.approx(2.0, rel=0.1)  # two of the four copies in each term
    assert measure.effect.quantile == pytest.approx(2.045, abs=1e-3)  # Student's with 29 degrees of freedom


def test_a_view_without_terms_has_no_map() -> None:
    """Pairs have no terms, and rows without the column or without any value give no map."""
    pairs = pd.DataFrame({"text": ["a", "b"], "other": ["c", "d"], "logp": [-1.0, -2.0], "logp_other": [-2.0, -1.0]})
    assert lens_of(wb.from_predictions(pairs, probe="pairs")).map is None
    report = stored()
    bare = wb.Report(report.rows.drop(columns="target"), report.record, _given=report._given)
    assert lens_of(bare).map is None
    one = wb.Report(report.rows.assign(target="nurse"), report.record, _given=report._given)
    assert lens_of(one).map is None
    assert "target" not in [field.name for field in lens_of(one).fields]
    none = wb.Report(report.rows.assign(prefers_stereotype=np.nan, related=np.nan), report.record, _given=report._given)
    assert lens_of(none).map is None


def test_a_group_that_is_the_term_is_no_slice_of_its_own() -> None:
    """Rows of `dialect` have their attribute as group: it is a field once."""
    rows = pd.DataFrame({"attribute": ["calm", "loud"] * 3, "cluster": range(6), "association": 0.5, "raised": 1.0})
    view = dialect.PROBE.view
    same = _fields.view_fields(rows.assign(group=rows["attribute"]), (), view)
    other = _fields.view_fields(rows.assign(group=["a", "b", "c"] * 2), (), view)

    assert [field.name for field in same] == ["association", "attribute", "outcome"]
    assert "group" in [field.name for field in other]


def test_a_click_on_a_term_selects_its_sentences_in_the_kernel() -> None:
    """The page's message for a click on "nurse" leaves the rows of that target, which the probe's share agrees with."""
    report = stored()
    explorer: Any = explore(report)
    lens = explorer._lens
    ranges: list[Any] = [None] * len(lens.fields)
    ranges[lens.map.at] = [lens.fields[lens.map.at].labels.index("nurse")]
    message = {"kind": "brush", "serial": 1, "ranges": ranges, "mask": False, "temperature": 1.0, "origin": "page"}
    explorer._handle_custom_msg(message, [])

    assert set(explorer.selection["target"]) == {"nurse"}
    assert len(explorer.selection) == 40
    assert intervals.proportion(explorer.selection["prefers_stereotype"]).value > 0.9
