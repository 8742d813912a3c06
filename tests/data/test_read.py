"""Readers: every kind of source gives the same examples, and a fault is named by file and line."""

import gzip
import json
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from workbench.data.examples import Examples
from workbench.errors import DataError, MissingExtra, UsageError, WorkbenchError

RECORDS = [
    {"text": 'A "quoted", word?', "choices": ["yes", "no"], "label": 1, "kind": "NA"},
    {"text": "Zwei\nZeilen: ä?", "choices": ["ja", "nein", "weiß nicht"], "label": 0, "kind": "null"},
    {"text": "007", "choices": ["1", "2"], "label": 1, "kind": "nan"},
]


def written(folder: Path, ending: str) -> Path:
    """Write the records in the format of the ending and return the path."""
    path = folder / f"data{ending}"
    frame = pd.DataFrame(RECORDS)
    plain = ending.removesuffix(".gz")
    if plain in (".csv", ".tsv"):
        flat = frame.assign(choices=[json.dumps(choices) for choices in frame["choices"]])
        content = flat.to_csv(index=False, sep="," if plain == ".csv" else "\t").encode()
    elif plain == ".jsonl":
        content = "\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS).encode()
    elif plain == ".json":
        content = json.dumps(RECORDS).encode()
    else:
        content = frame.to_parquet(index=False)
    path.write_bytes(gzip.compress(content) if ending.endswith(".gz") else content)
    return path


ENDINGS = [e + gz for e in (".csv", ".tsv", ".jsonl", ".json", ".parquet") for gz in ("", ".gz")]


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_gives_the_same_examples(tmp_path: Path, ending: str) -> None:
    """Texts with quotes, line breaks, accents, leading zeros and "NA" come through every format unharmed."""
    path = written(tmp_path, ending)
    examples = Examples.of(path)
    assert examples.hash == Examples.of(RECORDS).hash
    assert examples.frame["kind"].tolist() == ["NA", "null", "nan"]
    assert examples.name == "data"
    assert examples.source == str(path)
    assert Examples.of(str(path), name="mine").name == "mine"


def test_tables_records_columns_and_arrow_give_the_same_examples() -> None:
    """A DataFrame, a list of records, a dictionary of columns and a pyarrow table are the same to us."""
    frame = pd.DataFrame(RECORDS)
    hashes = {
        Examples.of(RECORDS).hash,
        Examples.of(frame).hash,
        Examples.of(frame.set_index("kind", drop=False)).hash,
        Examples.of({name: frame[name].tolist() for name in frame}).hash,
        Examples.of({name: frame[name].to_numpy() for name in frame}).hash,
        Examples.of(pa.Table.from_pylist(RECORDS)).hash,
        Examples.of(tuple(RECORDS)).hash,
    }
    assert len(hashes) == 1


def test_examples_are_given_back() -> None:
    """Examples are returned as they are; with a name or columns, read again under these."""
    examples = Examples.of(RECORDS, licence="CC0")
    assert Examples.of(examples) is examples
    assert Examples.of(examples, name="mine").name == "mine"
    again = Examples.of(examples, group="kind")
    assert again.frame["group"].tolist() == ["NA", "null", "nan"]
    assert (again.licence, again.kind, again.frame["label"].tolist()) == ("CC0", "choice", [1, 0, 1])


def test_numbers_of_a_csv_file_are_numbers(tmp_path: Path) -> None:
    """Columns that are all numbers become numbers; ids, texts and codes with leading zeros stay text."""
    path = tmp_path / "n.csv"
    path.write_text("id,text,label,score,code,gap\n01,10,1,2.50,007,1\n02,1.0,0,3,010,\n")
    frame = Examples.of(path).frame
    assert frame["example"].tolist() == ["01", "02"]
    assert frame["text"].tolist() == ["10", "1.0"]
    assert frame["label"].tolist() == ["1", "0"]
    assert frame["score"].tolist() == [2.5, 3.0]
    assert frame["code"].tolist() == ["007", "010"]
    assert frame["gap"].isna().tolist() == [False, True]


def test_quotes_in_a_tsv_file_are_text_where_they_do_not_pair(tmp_path: Path) -> None:
    """Quotation marks that would swallow lines are read as text, and it is said."""
    path = tmp_path / "q.tsv"
    path.write_text('text\tlabel\n"Well\tgood\nA "fine" day\tgood\nbad" end\tbad\n')
    examples = Examples.of(path)
    assert examples.frame["text"].tolist() == ['"Well', 'A "fine" day', 'bad" end']
    assert any(note.startswith("Quotation marks were read as text") for note in examples.notes)


def test_a_byte_order_mark_and_unnamed_columns_are_no_trouble(tmp_path: Path) -> None:
    """A byte order mark is not part of the first name; an index column without a name gets one."""
    path = tmp_path / "bom.csv"
    path.write_bytes(b"\xef\xbb\xbf,text\r\n0,a\r\n1,b\r\n")
    assert Examples.of(path).frame["text"].tolist() == ["a", "b"]
    assert Examples.of(path).frame["column_0"].tolist() == [0, 1]


def test_a_csv_file_of_semicolons_is_read(tmp_path: Path) -> None:
    """As spreadsheets write it where the comma is decimal; it is said, and a semicolon beside commas is text."""
    path = tmp_path / "excel.csv"
    path.write_text('text;label\n"gut; sehr gut, sogar";1\nschlecht;0\n')
    examples = Examples.of(path)

    assert examples.frame["text"].tolist() == ["gut; sehr gut, sogar", "schlecht"]
    assert any("separated by semicolons" in note for note in examples.notes)
    path.write_text("text,a;b\ngut,1\n")
    assert list(Examples.of(path).frame.columns) == ["example", "text", "a;b"]


def test_json_files_of_other_shapes_are_read(tmp_path: Path) -> None:
    """An object of columns and an object with one list of records are read as tables."""
    path = tmp_path / "c.json"
    path.write_text('{"text": ["a", "b"]}')
    assert Examples.of(path).frame["text"].tolist() == ["a", "b"]
    path.write_text('{"version": "1", "data": [{"text": "a"}, {"text": "b", "more": 1}]}')
    assert Examples.of(path).frame["text"].tolist() == ["a", "b"]


BROKEN = {
    "bad.jsonl": (
        b'{"text": "a"}\n\n{"text": "b"\n',
        r"bad\.jsonl, line 3: not JSON \(Expecting ',' delimiter at column",
    ),
    "list.jsonl": (b'{"text": "a"}\n[1]\n', r"list\.jsonl, line 2: \[1\] is not an object with named fields"),
    "bad.json": (b'[{"text": "a"},\n {"text": }]', r"bad\.json, line 2: not JSON"),
    "lines.json": (b'{"text": "a"}\n{"text": "b"}\n', r"lines\.json, line 2: not JSON .* name it \.jsonl"),
    "word.json": (b'"word"', r"word\.json holds 'word'; expected a list of objects"),
    "uneven.json": (b'{"text": ["a"], "n": [1, 2]}', r"columns of uneven\.json differ in length: text 1, n 2"),
    "wide.csv": (b"text,label\na,b\nc,d,e\n", r"wide\.csv, line 3: 3 fields where the header has 2"),
    "open.csv": (b'text,label\n"a,b\n', r"open\.csv, line 2: unexpected end of data"),
    "twice.csv": (b"text,n,n\na,1,2\n", r"twice\.csv, line 1: the header has 'n' more than once"),
    "empty.csv": (b"", r"empty\.csv is empty"),
    "empty.jsonl": (b"\n", r"empty\.jsonl is empty"),
    "header.csv": (b"text,label\n", r"The table of 'header' has columns but no rows"),
    "latin.csv": (b"text\nplain\ncaf\xe9\n", r"latin\.csv, line 3: not UTF-8 text"),
    "bad.parquet": (b"PAR1 not really", r"bad\.parquet is not a Parquet file"),
    "bad.csv.gz": (b"text\na\n", r"bad\.csv\.gz is not a whole gzip file"),
    "cut.csv.gz": (gzip.compress(b"text\na\n" * 99)[:20], r"cut\.csv\.gz is not a whole gzip file"),
    "data.xlsx": (b"", r"'data\.xlsx' ends in \.xlsx; known endings are \.csv, \.tsv, \.jsonl, \.json, \.parquet"),
    "plain": (b"", r"'plain' ends in nothing; known endings"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_with_the_line(tmp_path: Path, name: str) -> None:
    """What is wrong, in which file and on which line, stands in the message."""
    content, message = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        Examples.of(tmp_path / name)


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    """The message lists what the folder has."""
    (tmp_path / "train.csv").write_text("text\na\n")
    with pytest.raises(DataError, match=r"There is no file '.*test\.csv'\. .* has train\.csv\."):
        Examples.of(tmp_path / "test.csv")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (5, r"Examples cannot be made from int\. Give a table"),
        ([{"text": "a"}, "b"], r"Row 1 of the list is 'b', not a record .*\{'text': \[\.\.\.\]\}"),
        ([], r"Examples need the column\(s\) text; this table has no columns"),
        ({"text": "abc"}, "Column 'text' of the dictionary is 'abc', not a list"),
        ({"text": ["a"], "n": [1, 2]}, "The columns of the dictionary differ in length: text 1, n 2"),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), r"has the column\(s\) text more than once"),
        (pd.DataFrame({"text": []}), "has columns but no rows"),
        ("hf:", "'hf:' needs a name"),
    ],
)
def test_a_source_that_is_no_table_is_refused(source: object, message: str) -> None:
    """Each wrong source has its message."""
    with pytest.raises(WorkbenchError, match=message):
        Examples.of(source)


def test_a_choice_among_splits_must_be_made() -> None:
    """A dictionary of data sets is refused with the names of its splits."""
    table = pa.table({"text": ["a"]})
    with pytest.raises(UsageError, match=r"has the splits train, test\. Give one of them, e\.g\. data\['train'\]"):
        Examples.of({"train": table, "test": table})


def test_the_hub_needs_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package datasets, the message has the pip line."""
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match=r"pip install 'fm-workbench\[hub\]'"):
        Examples.of("hf:allenai/ai2_arc:ARC-Easy:test")


def test_hugging_face_data_sets_are_read() -> None:
    """A Dataset object is a table; indices of a class become its names; ARC's own shape is known."""
    datasets = pytest.importorskip("datasets", reason="needs the extra hub")
    labels = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    reviews = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=labels)
    assert Examples.of(reviews).frame["label"].tolist() == ["pos", "neg"]
    record = {"id": "q", "question": "a?", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "2"}
    assert Examples.of(datasets.Dataset.from_list([record])).frame["label"].tolist() == [1]
    with pytest.raises(UsageError, match="has the splits train"):
        Examples.of(datasets.DatasetDict(train=reviews))
