"""Examples on disk: they come back as they were, or say which of them did not."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.data import kept
from workbench.errors import DataError

TEXTS = st.text(min_size=1).filter(lambda text: text.strip())
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(), st.text())


@given(st.lists(st.tuples(TEXTS, VALUES, st.lists(st.floats(), max_size=3)), min_size=1, max_size=5))
def test_any_table_comes_back(rows: list[tuple[str, object, list[float]]]) -> None:
    """Texts with line breaks and odd characters, NaN and infinities, lists and nothing: the hash is the same, and the order."""
    frame = pd.DataFrame(
        {
            "example": [f"e{at}" for at in range(len(rows))],
            "text": [row[0] for row in rows],
            "extra": pd.Series([row[1] for row in rows], dtype=object),
            "many": pd.Series([row[2] for row in rows], dtype=object),
        }
    )
    one = wb.Examples(frame)
    again = kept.from_lines(kept.to_lines(one), json.loads(json.dumps(kept.about_of(one))))

    assert one.hash == again.hash
    assert kept.marks_of(one.frame) == kept.marks_of(again.frame)
    assert one.frame["text"].tolist() == again.frame["text"].tolist()


def test_types_images_and_edits_come_back() -> None:
    """Whole numbers stay whole, arrays keep shape and type, edits are edits, times are times."""
    texts = wb.Examples.of([{"id": "a", "text": "How do I change my PIN?"}]).corrupt("keyboard", severity=5)
    times = texts.with_column("when", [pd.Timestamp("2026-11-27")]).with_column("count", [3])
    image = wb.Examples.of([{"image": np.arange(6, dtype=np.uint8).reshape(2, 3), "label": "dark"}], label="label")
    for one in (times, image):
        again = kept.from_lines(kept.to_lines(one), json.loads(json.dumps(kept.about_of(one))))
        assert one.hash == again.hash
        assert dict(one.frame.dtypes) == dict(again.frame.dtypes)
    again = kept.from_lines(kept.to_lines(times), kept.about_of(times))
    assert times.frame["edits"][0] == again.frame["edits"][0]
    assert type(times.frame["edits"][0][0]) is type(again.frame["edits"][0][0])


def test_what_is_no_data_is_refused() -> None:
    """An object in a column is named."""
    one = wb.Examples(pd.DataFrame({"example": ["a"], "text": ["a"], "thing": [object()]}))

    with pytest.raises(DataError, match="The column 'thing' holds a object"):
        kept.to_lines(one)


def test_a_pack_comes_back_by_name_and_says_what_changed() -> None:
    """The ids and their order decide; a mark that differs and an id that is gone are named."""
    part = wb.pack("mini").sample(5, seed=3)
    ids, marks = part.frame["example"].tolist(), kept.marks_of(part.frame)
    found = kept.rebuilt(kept.about_of(part), ids, marks)
    wrong = kept.rebuilt(kept.about_of(part), [*ids, "stranger"], {**marks, (ids[2],): "0"})

    assert found.examples is not None
    assert (part.hash, ids, part.steps) == (
        found.examples.hash,
        found.examples.frame["example"].tolist(),
        found.examples.steps,
    )
    assert (None, ("stranger",), (ids[2],)) == wrong


def test_marks_come_back_from_text() -> None:
    """Ids with commas, quotes and line breaks too."""
    marks = {('a,"b"\nc', ""): "12", ("d", "e"): "34"}

    assert marks == kept.marks_read(kept.marks_text(marks, ("example", "variant")))
