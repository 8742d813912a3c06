"""Write the pack `associations`: sets of plain words, and of sentences about them; `--check` only says whether it is fresh.

Run from the repository root: ``python tools/build_associations.py [--check]``. The words are our own choice; no list is taken from
another test.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "workbench" / "data" / "packs" / "associations.jsonl"
WORDS = {  # eight words a set, so that all C(16, 8) = 12,870 splits can be counted
    "flowers": "rose tulip daisy lily orchid violet poppy daffodil",
    "insects": "wasp mosquito cockroach louse flea termite hornet maggot",
    "trees, first half": "alder beech cedar fir larch maple poplar spruce",  # every second one of an alphabetical list
    "trees, second half": "ash birch elm hazel linden oak rowan willow",
    "young people": "teenager youngster adolescent schoolchild student youth undergraduate apprentice",
    "old people": "pensioner retiree elder grandparent octogenarian veteran senior centenarian",
    "male": "man boy father son brother uncle husband grandfather",
    "female": "woman girl mother daughter sister aunt wife grandmother",
    "science": "physics chemistry engineering astronomy mathematics mechanics computing geology",
    "arts": "poetry painting ballet theatre sculpture opera drawing pottery",
    "pleasant": "joy love peace smile friendship comfort beauty kindness",
    "unpleasant": "pain hatred war sorrow cruelty fear filth misery",
    "career": "job office wage boss contract manager profession promotion",
    "family": "home household kitchen nursery wedding cradle hearth family",
}
TESTS = {  # test -> targ1, targ2, attr1, attr2
    "flowers-insects": ("flowers", "insects", "pleasant", "unpleasant"),
    "trees-control": ("trees, first half", "trees, second half", "pleasant", "unpleasant"),
    "young-old": ("young people", "old people", "pleasant", "unpleasant"),
    "gender-career": ("male", "female", "career", "family"),
    "science-gender": ("science", "arts", "male", "female"),
}
SETS = ("targ1", "targ2", "attr1", "attr2")
SENTENCES = (
    "The word here is {}.",
    "Someone wrote the word {}.",
    "The next word is {}.",
    "I read the word {} today.",
)


def lines() -> list[dict[str, str]]:
    """Return the records of the pack: each test in words, then in sentences."""
    made = []
    for test, categories in TESTS.items():
        for prefix, frames in (("", ("{}",)), ("sent-", SENTENCES)):
            for name, category in zip(SETS, categories, strict=True):
                for word in WORDS[category].split():
                    for i, frame in enumerate(frames):
                        example = f"{prefix}{test}-{name}-{word}" + (f"-{i + 1}" if prefix else "")
                        where = {"test": f"{prefix}{test}", "set": name, "category": category, "word": word}
                        made.append({"example": example, "text": frame.format(word), "cluster": word, **where})
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines())
    if parser.parse_args(arguments).check:
        fresh = FILE.is_file() and FILE.read_text(encoding="utf-8") == text
        print(f"{FILE.name} is {'fresh' if fresh else 'stale: run python tools/build_associations.py'}")
        return 0 if fresh else 1
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
