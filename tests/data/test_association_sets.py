"""The pack `associations` and the reader of SEAT."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import DataError, UsageError

ROOT = Path(__file__).parents[2]


def test_the_pack_holds_its_tests_in_words_and_sentences() -> None:
    """Each test has four sets of eight words, and the same words in four sentences each; it is sliced by test."""
    pack = wb.pack("associations")
    frame = pack.frame
    words = frame[~frame["test"].str.startswith("sent-")]
    counts = words.groupby(["test", "set"]).size()

    assert ("associations", "Apache-2.0", ("test",), "text") == (pack.name, pack.licence, pack.slices, pack.kind)
    assert {8} == set(counts)
    assert 20 == len(counts)
    assert 5 * len(words) == len(frame)
    for test, part in words.groupby("test"):
        sentences = frame[frame["test"] == f"sent-{test}"]
        assert set(zip(part["set"], part["word"], strict=True)) == set(
            zip(sentences["set"], sentences["word"], strict=True)
        )
    assert pack.card.startswith("# associations\n")
    assert all(f"`{test}`" in pack.card for test in words["test"].unique())


def test_no_word_stands_in_two_sets_of_a_test() -> None:
    """Otherwise it would count on both sides."""
    frame = wb.pack("associations").frame.drop_duplicates(["test", "set", "word"])

    assert not frame.duplicated(["test", "word"]).any()


def test_the_pack_is_what_its_tool_writes() -> None:
    """`tools/build_associations.py --check` finds it fresh."""
    done = subprocess.run(
        [sys.executable, "tools/build_associations.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )

    assert 0 == done.returncode, done.stdout


def seat(folder: Path, name: str, **sets: list[str]) -> None:
    """Write a test as the authors do."""
    content = {key: {"category": key.title(), "examples": texts} for key, texts in sets.items()}
    (folder / f"{name}.jsonl").write_text(json.dumps(content))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a test in words and in sentences."""
    words = {"targ1": ["fly", "he"], "targ2": ["child"], "attr1": ["joy"], "attr2": ["kill"]}
    sentences = {
        "targ1": ["This is a fly.", "Flies are things.", "The flies are here.", "Here he is.", "This is he."],
        "targ2": ["These are children.", "The child is there.", "A child is a person."],
        "attr1": ["It is joy."],
        "attr2": ["This will kill.", "The person's name is Kill."],
    }
    seat(tmp_path, "small", **words)
    seat(tmp_path, "sent-small", **sentences)
    return tmp_path


def test_sentences_know_their_word(folder: Path) -> None:
    """Sentences of one word are one cluster, in the singular and lower case; a word is its own."""
    frame = wb.benchmark("seat", folder, tests="sent-small").frame

    assert ["fly", "fly", "fly", "he", "he"] == frame[frame["set"] == "targ1"]["cluster"].tolist()
    assert ["child"] * 3 + ["joy"] + ["kill"] * 2 == frame[frame["set"] != "targ1"]["word"].tolist()
    assert ["fly", "he", "child", "joy", "kill"] == wb.benchmark("seat", folder, tests=["small"]).frame["word"].tolist()


def test_all_tests_are_read_packed_or_not(folder: Path) -> None:
    """Without tests= every file is; ids name the test, the set and the place."""
    plain = wb.benchmark("seat", folder)
    for path in list(folder.glob("*.jsonl")):
        with gzip.open(f"{path}.gz", "wt") as file:
            file.write(path.read_text())
        path.unlink()
    packed = wb.benchmark("seat", folder)

    assert packed.hash == plain.hash
    assert {"small", "sent-small"} == set(plain.frame["test"])
    assert "small/targ1/1" in set(plain.frame["example"])
    assert ("CC BY-NC 4.0", ("test",)) == (plain.licence, plain.slices)


def test_faults_name_the_file_or_the_test(folder: Path, tmp_path: Path) -> None:
    """An unknown test, a file that is none, and a folder without files."""
    with pytest.raises(UsageError, match=r"Unknown test of SEAT 'smal'\. Did you mean 'small'"):
        wb.benchmark("seat", folder, tests="smal")
    (folder / "broken.jsonl").write_text("{}")
    with pytest.raises(DataError, match=r"broken\.jsonl is not a test of SEAT"):
        wb.benchmark("seat", folder, tests="broken")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"has no \.jsonl files of SEAT"):
        wb.benchmark("seat", tmp_path / "empty")


@pytest.mark.data
def test_the_authors_files_have_the_words_of_their_word_tests(benchmark_data: Path) -> None:
    """All 50 files; a sentence test has the words of the word test, but for a few that the authors' sampling left out."""
    examples = wb.benchmark("seat", benchmark_data)
    frame = examples.frame
    counts = frame.groupby(["test", "set"])["word"].nunique()

    assert (50, 11_977) == (frame["test"].nunique(), len(frame))
    assert ("MaleNames", 64, 8) == (
        frame[(frame["test"] == "sent-weat6") & (frame["set"] == "targ1")]["category"].iloc[0],
        len(frame[(frame["test"] == "sent-weat6") & (frame["set"] == "targ1")]),
        counts["sent-weat6", "targ1"],
    )
    pairs = [(name, f"sent-{name}") for name in frame["test"].unique() if f"sent-{name}" in set(frame["test"])]
    different = [
        (name, which)
        for name, sentences in pairs
        for which in ("targ1", "targ2", "attr1", "attr2")
        if counts[name, which] != counts[sentences, which]
    ]
    assert len(pairs) > 15
    assert {"weat9", "weat6b", "weat7", "weat8"} >= {name for name, _ in different}
    assert len(different) <= 4
