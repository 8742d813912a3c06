"""The madlibs set: its terms, its words, and what is drawn independently in it."""

from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import DataError


@pytest.mark.data
def test_madlibs_is_read_as_published(benchmark_data: Path) -> None:
    """Counts by template and label, 50 terms with the same sentences each, clusters that have one label."""
    examples = wb.benchmark("madlibs", benchmark_data)
    frame = examples.frame

    assert 76_564 == len(examples)
    assert {"BAD": 38_282, "NOT_BAD": 38_282} == frame["label"].value_counts().to_dict()
    assert [1514] * 50 == frame["identity"].value_counts().tolist()
    assert {"you_occupation"} == set(frame["template"][frame["identity"].isna()])
    assert 42 == frame["cluster"].nunique()
    assert 1 == frame.groupby("cluster")["label"].nunique().max()
    assert "CC BY 4.0" == examples.licence


def test_a_file_that_is_another_is_named(tmp_path: Path) -> None:
    """A line that no template makes, and a folder without the file, say what they are."""
    (tmp_path / "bias_madlibs_77k.csv").write_text("Text,Label,Template\nhello there,BAD,name_adj\n")
    with pytest.raises(DataError, match="Line 2 of bias_madlibs_77k.csv is 'hello there'"):
        wb.benchmark("madlibs", tmp_path)

    (tmp_path / "bias_madlibs_77k.csv").unlink()
    with pytest.raises(DataError, match=r"has no bias_madlibs_77k.csv \(or the same with .gz\)"):
        wb.benchmark("madlibs", tmp_path)
