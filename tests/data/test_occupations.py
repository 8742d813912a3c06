"""The pack occupations: its shares are the published ones, its sentences read well, and its file is what its build writes."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.data.packs import pack

ROOT = Path(__file__).parents[2]


def test_the_file_is_what_its_build_writes() -> None:
    """`tools/build_occupations.py --check` finds the pack fresh."""
    command = [sys.executable, "tools/build_occupations.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.data
def test_shares_and_years_are_those_of_the_published_file(benchmark_data: Path) -> None:
    """Every occupation of the file is there, with its share (in percent there, 0 to 1 here) and the year of the figure."""
    with (benchmark_data / "occupations" / "share_of_women.tsv").open() as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    published = {line["occupation"]: (float(line["bls_pct_female"]), int(line["bls_year"])) for line in lines}
    frame = pack("occupations").frame
    ours = {
        occupation: (round(100 * share, 2), year)
        for occupation, share, year in zip(frame["occupation"], frame["share_of_women"], frame["year"], strict=True)
    }

    assert published == ours
    assert len(published) == 60


def test_every_occupation_stands_in_every_template() -> None:
    """60 occupations in ten templates, sliced by both, and drawn by occupation."""
    examples = pack("occupations")
    frame = examples.frame

    assert (len(frame), frame["template"].nunique(), frame["occupation"].nunique()) == (600, 10, 60)
    assert frame.groupby("occupation")["template"].nunique().eq(10).all()
    assert examples.slices == ("occupation", "template")
    assert (frame["cluster"] == frame["occupation"]).all()
    assert examples.card.startswith("# occupations\n")
    assert (examples.kind, examples.licence) == ("text", "Apache-2.0")


def test_sentences_have_one_slot_and_the_right_article() -> None:
    """One pronoun is left open; "an" stands before a vowel; no word for a man or a woman stands in a sentence."""
    for text in pack("occupations").frame["text"]:
        assert len(re.findall(r"\{(they|their|them)\}", text)) == 1
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text)
        assert not re.search(r"\b(he|she|his|her|him|hers|man|woman|men|women)\b", text)
        assert text.endswith(".")
