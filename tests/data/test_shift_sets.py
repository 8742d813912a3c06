"""Readers of the sets for shift: classes, domains, clusters and counts as their authors give them."""

import gzip
import json
from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import DataError, UsageError

COUNTS = [  # set, options, rows, kind, values of some columns
    ("tweeteval", {}, 12_284, "class", {"label": {"negative", "neutral", "positive"}}),
    (
        "tweeteval",
        {"task": "offensive", "split": ("train", "val", "test")},
        11_916 + 1_324 + 860,
        "class",
        {"split": 3},
    ),
    (
        "clinc-oos",
        {"split": ("train", "val", "test")},
        22_500 + 1_200,
        "class",
        {"label": 151, "domain": 11, "scope": 2},
    ),
    ("banking77", {"split": ("train", "test")}, 13_083, "class", {"label": 77}),
    ("ag-news", {}, 7_600, "class", {"label": {"World", "Sports", "Business", "Sci/Tech"}}),
    ("sst2", {"split": ("train", "dev", "test")}, 6_920 + 872 + 1_821, "class", {"label": {"negative", "positive"}}),
    ("textfooler", {}, 3_000, "class", {"domain": {"imdb", "mr", "yelp"}, "label": {"negative", "positive"}}),
    ("textfooler", {"corpus": "ag"}, 1_000, "class", {"label": {"World", "Sports", "Business", "Sci/Tech"}}),
    ("cad-imdb", {"split": ("train", "dev")}, 3_414 + 490, "class", {"cluster": (3_414 + 490) // 2, "place": 2}),
    ("arc", {}, 2_365 + 1_165, "choice", {"level": {"easy", "challenge"}}),
    ("arc", {"level": "easy", "split": "val"}, 567, "choice", {}),
    ("mmlu", {"split": "dev"}, 285, "choice", {"subject": 57}),
    (
        "mmlu",
        {"subjects": ["virology", "astronomy"], "split": "dev"},
        10,
        "choice",
        {"subject": {"virology", "astronomy"}},
    ),
]


@pytest.mark.data
@pytest.mark.parametrize(("name", "options", "rows", "kind", "columns"), COUNTS)
def test_a_set_is_whole(
    benchmark_data: Path, name: str, options: dict[str, object], rows: int, kind: str, columns: dict[str, object]
) -> None:
    """Rows and values of columns are those that the authors, or the list of the data at hand, state; slices are columns."""
    examples = wb.benchmark(name, benchmark_data, **options)
    frame = examples.frame

    assert (rows, kind) == (len(frame), examples.kind)
    for column, wanted in columns.items():
        found = set(frame[column])
        assert wanted == (len(found) if isinstance(wanted, int) else found)
    assert set(examples.slices) <= set(frame.columns)
    assert all([examples.licence, examples.source, examples.card])


@pytest.mark.data
def test_tweets_without_a_text_are_counted(benchmark_data: Path) -> None:
    """Of the 12,970 of the task hate, eight tweets are blank; labels stay aligned with texts that hold line separators."""
    examples = wb.benchmark("tweeteval", benchmark_data, task="hate", split=("train", "val", "test"))

    assert 12_970 - 8 == len(examples)
    assert examples.notes == ("8 blank lines left out.",)
    assert 1_252 == (examples.where(split="test").frame["label"] == "hate").sum()


@pytest.mark.data
def test_clinc_keeps_the_order_of_the_file(benchmark_data: Path) -> None:
    """In scope first, then beyond it, as acceptance values by position need; 450 test requests a domain."""
    frame = wb.benchmark("clinc-oos", benchmark_data).frame

    assert ["in"] * 4_500 + ["out"] * 1_000 == frame["scope"].tolist()
    assert {450} == set(frame[frame["scope"] == "in"]["domain"].value_counts())
    assert frame["example"].iloc[4_500] == "clinc-oos_test-00000"
    assert 1_000 == len(wb.benchmark("clinc-oos", benchmark_data, scope="out"))


@pytest.mark.data
def test_the_reviews_of_a_pair_differ_in_sentiment(benchmark_data: Path) -> None:
    """Each pair has both classes, and is a cluster."""
    frame = wb.benchmark("cad-imdb", benchmark_data, split="train").frame

    assert {("negative", "positive")} == set(
        frame.groupby("cluster")["label"].agg(lambda labels: tuple(sorted(labels)))
    )


@pytest.mark.data
@pytest.mark.parametrize(
    ("suite", "cases", "tests", "left_out"),
    [
        ("sentiment", {"MFT": 2_632 - 450, "INV": 780, "DIR": 300}, 35, 450),
        ("qqp", {"MFT": 5_550, "INV": 540, "DIR": 420}, 53, 0),
    ],
)
def test_suites_of_checklist(
    benchmark_data: Path, suite: str, cases: dict[str, int], tests: int, left_out: int
) -> None:
    """Cases by type sum to the lines of the file; a case is a cluster with one original, but for minimum functionality tests."""
    examples = wb.benchmark("checklist", benchmark_data, suite=suite)
    frame = examples.frame

    assert cases == frame.groupby("type")["case"].nunique().to_dict()
    assert {"sentiment": 3_712, "qqp": 6_510}[suite] == sum(cases.values()) + left_out
    assert tests == frame["test"].nunique()
    assert (frame["cluster"] == frame["case"]).all()
    moved = frame[frame["type"] != "MFT"]
    assert {1} == set((moved["role"] == "original").groupby(moved["case"]).sum())
    assert {"is"} == set(frame[frame["type"] == "MFT"]["expectation"])
    alone = frame["test"] == "(question, f(question)) where f(question) replaces synonyms?"
    assert {"same"} == set(frame[(frame["type"] == "INV") & ~alone]["expectation"])
    unknown = frame[frame["expectation"] == ""]
    assert ({"Testing implications"} if suite == "qqp" else set()) == set(unknown["test"])
    assert "" not in set(frame[frame["expectation"].isin(["is", "turns"])]["expected"])
    assert bool(left_out) == any("450 cases of 3 tests are left out" in note for note in examples.notes)


@pytest.mark.data
def test_whole_cases_are_drawn(benchmark_data: Path) -> None:
    """per_test keeps whole cases, the same ones whatever types are asked for."""
    few = wb.benchmark("checklist", benchmark_data, per_test=5).frame
    some = wb.benchmark("checklist", benchmark_data, per_test=5, types="INV").frame

    assert {5} == set(few.groupby("test")["case"].nunique())
    assert few.loc[few["type"] == "INV", "example"].tolist() == some["example"].tolist()
    with pytest.raises(UsageError, match="per_test must be a whole number from 1; it is 0"):
        wb.benchmark("checklist", benchmark_data, per_test=0)


@pytest.mark.data
def test_a_pair_of_questions_is_one_text(benchmark_data: Path) -> None:
    """qqp: both questions with a line break between them, and each in its column; labels have names."""
    frame = wb.benchmark("checklist", benchmark_data, suite="qqp", types="MFT").frame
    row = frame.iloc[0]

    assert row["text"] == f"{row['first']}\n{row['second']}"
    assert ("Is Tyler Johnson an actor?", "different") == (row["first"], row["expected"])


def lines(folder: Path, name: str, *rows: str) -> None:
    """Write a file of lines."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def test_faults_of_files_are_named(tmp_path: Path) -> None:
    """A line, row, pair or label that does not fit is named with its file."""
    lines(tmp_path, "hate/test_text.txt", "one", "two")
    lines(tmp_path, "hate/test_labels.txt", "1")
    with pytest.raises(DataError, match=r"hate/test_text\.txt has 2 lines, hate/test_labels\.txt 1"):
        wb.benchmark("tweeteval", tmp_path, task="hate")
    lines(tmp_path, "hate/test_labels.txt", "1", "2")
    with pytest.raises(DataError, match=r"Line 2 of hate/test_labels\.txt is '2', not a number from 0 to 1"):
        wb.benchmark("tweeteval", tmp_path, task="hate")
    lines(tmp_path, "test.tsv", "fine\t1", "no label")
    with pytest.raises(DataError, match=r"Line 2 of test\.tsv is 'no label'; a text, a tab"):
        wb.benchmark("sst2", tmp_path)
    lines(tmp_path, "imdb", "0 fine", "7 no such class")
    with pytest.raises(DataError, match="Line 2 of imdb starts with '7 no such class'"):
        wb.benchmark("textfooler", tmp_path, corpus="imdb")
    lines(tmp_path, "test.csv", '"5","title","text"')
    with pytest.raises(DataError, match="Row 1 of test.csv is not a class from 1 to 4"):
        wb.benchmark("ag-news", tmp_path)
    lines(tmp_path, "dev_paired.tsv", "Sentiment\tText\tbatch_id", "Negative\tbad\t1")
    with pytest.raises(DataError, match=r"The pair 1 of dev_paired\.tsv has 1 review\(s\), not two"):
        wb.benchmark("cad-imdb", tmp_path)
    lines(tmp_path, "sentiment_suite.jsonl", json.dumps({"test": "t", "type": "MFT"}))
    with pytest.raises(DataError, match="lacks capability, label, case, data"):
        wb.benchmark("checklist", tmp_path)
    (tmp_path / "train.tsv.gz").write_bytes(gzip.compress(b"good\t1\n" * 99)[:20])
    with pytest.raises(DataError, match=r"train\.tsv\.gz cannot be unpacked"):
        wb.benchmark("sst2", tmp_path, split="train")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("tweeteval", {"task": "irony"}, "task of TweetEval 'irony'"),
        ("tweeteval", {"split": "dev"}, "split 'dev'.*Known: test, train, val"),
        ("clinc-oos", {"scope": "both"}, "scope 'both'"),
        ("textfooler", {"corpus": ("ag", "imdb")}, "ag has topics, the other corpora have sentiments"),
        ("checklist", {"suite": "squad"}, "suite of CheckList 'squad'"),
        ("checklist", {"types": ()}, "No type of test is named. Known: MFT, INV, DIR"),
        ("arc", {"level": "hard"}, "level 'hard'"),
    ],
)
def test_options_are_checked(tmp_path: Path, name: str, options: dict[str, object], message: str) -> None:
    """An option that names no part of the set is refused with those that there are."""
    for file in ("ag", "imdb"):
        lines(tmp_path, file, "0 text")
    lines(tmp_path, "data_full.json", "{}")
    lines(tmp_path, "domains.json", "{}")
    with pytest.raises(UsageError, match=message):
        wb.benchmark(name, tmp_path, **options)


@pytest.mark.parametrize("name", ["checklist", "arc", "mmlu"])
def test_sets_that_must_be_converted_say_where_they_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No download, and a sentence that says what to do."""
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    with pytest.raises(DataError, match="does not ship with Workbench.*https://"):
        wb.benchmark(name)


@pytest.mark.data
def test_a_split_that_was_not_read_says_how_to_read_it(benchmark_data: Path) -> None:
    """`where` of a value that the file at hand lacks names the values it has, and the reader's option of that name."""
    said = r"has split='train'\. Values of split: test\. The reader .* option: wb\.benchmark\('sst2', split='train'\)\."
    with pytest.raises(DataError, match=said):
        wb.benchmark("sst2", benchmark_data).where(split="train")
    with pytest.raises(UsageError, match=r"Unknown column 'split'\..*wb\.benchmark\('mmlu', split='dev'\)\."):
        wb.benchmark("mmlu", benchmark_data).where(split="dev")
