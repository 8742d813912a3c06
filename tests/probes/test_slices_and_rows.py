"""What probes share: slices, and the rows of the contract."""

import pandas as pd
import pytest
from fakes import Chooser

from workbench import Examples
from workbench.errors import DataError, NotApplicable
from workbench.frames import check_rows
from workbench.probes._rows import need_verb, rows_frame
from workbench.probes._slices import clusters_of, groups_of, metrics_of
from workbench.stats.intervals import mean


def examples() -> Examples:
    """Return three examples of two templates."""
    frame = pd.DataFrame({"example": ["a", "b", "c"], "text": list("xyz"), "cluster": ["t1", "t1", "t2"]})
    return Examples(frame.assign(kind=["p", "q", None]), slices=("kind",))


def test_rows_have_the_columns_of_the_contract() -> None:
    """Group, cluster and slices come from the examples; variants and own columns from the records."""
    records = [{"example": name, "variant": v, "value": 1.0} for name in "abc" for v in ("pro", "anti")]
    rows = rows_frame(records, examples(), ["value"]).assign(half="explore")

    assert ["example", "variant", "group", "cluster", "value", "kind", "half"] == list(check_rows(rows).columns)
    assert ["t1", "t1", "t1", "t1", "t2", "t2"] == rows["cluster"].tolist()
    assert {"all"} == set(rows["group"])


def test_records_may_say_group_and_cluster_themselves() -> None:
    """What a record says wins; an example without a cluster is one."""
    plain = Examples(pd.DataFrame({"example": ["a", "b"], "text": ["x", "y"]}))
    rows = rows_frame([{"example": "a", "group": "f", "cluster": "k"}, {"example": "b"}], plain, ["value"])

    assert [("f", "k"), ("all", "b")] == list(zip(rows["group"], rows["cluster"], strict=True))


def test_no_records_give_an_empty_table_of_the_contract() -> None:
    """An interrupted run may have no row yet."""
    rows = rows_frame([], examples(), ["value"])

    assert ["example", "variant", "group", "cluster", "value", "kind"] == list(rows.columns)
    assert 0 == len(rows)


def test_a_slice_named_like_a_column_of_the_report_is_refused() -> None:
    """The message names the column."""
    with pytest.raises(DataError, match="'kind' cannot be a slice"):
        rows_frame([], examples(), ["kind"])


def test_blank_values_are_no_slice() -> None:
    """All rows, each value, and no group for a blank; the groups overlap with nothing else."""
    rows = rows_frame([{"example": name} for name in "abc"], examples(), [])

    assert ["all", "kind=p", "kind=q"] == [name for name, _ in groups_of(rows, ("kind",))]
    assert clusters_of(rows) is not None
    assert clusters_of(rows[rows["example"].isin(["a", "c"])]) is None


def test_a_summary_becomes_metrics_of_every_slice() -> None:
    """The table has a line per group and metric."""
    rows = rows_frame([{"example": name, "value": float(i)} for i, name in enumerate("abc")], examples(), ["value"])
    metrics = metrics_of(rows, ("kind",), lambda some: {"mean": mean(some["value"])})

    assert [("all", 1.0, 3), ("kind=p", 0.0, 1), ("kind=q", 1.0, 1)] == list(
        metrics[["group", "value", "n"]].itertuples(index=False, name=None)
    )


def test_a_model_that_cannot_is_not_applicable() -> None:
    """The reason names the verb, the model and what it can."""
    with pytest.raises(NotApplicable, match=r"sentence vectors \(embed\); the model 'chooser' can choose, generate"):
        need_verb(Chooser(), "embed", "sentence vectors")
