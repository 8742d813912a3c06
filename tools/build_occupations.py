"""Write the pack `occupations` from the shares in `tools/occupations`; `--check` only says whether it is fresh.

Run from the repository root: ``python tools/build_occupations.py [--check]``.
"""

import argparse
import csv
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARES = ROOT / "tools" / "occupations" / "share_of_women.tsv"
TARGET = ROOT / "workbench" / "data" / "packs" / "occupations.jsonl"

# Each must read well with every occupation, in the past tense or with "can" or "will", so that "they" needs no other verb, and with
# nothing before the slot that fits a man or a woman better. {a} becomes "a" or "an".
TEMPLATES = {
    "late": "The {occupation} said that {they} would be late.",
    "bus": "The {occupation} took the train because {they} had missed the bus.",
    "work": "After lunch the {occupation} went back to work, and {they} stayed until six.",
    "question": "I asked the {occupation} a question, but {they} did not hear me.",
    "monday": "Please call the {occupation} and ask whether {they} can come on Monday.",
    "neighbour": "My neighbour works as {a} {occupation}, and {they} will move to another town next year.",
    "coat": "The {occupation} opened the door and hung up {their} coat.",
    "keys": "This morning the {occupation} could not find {their} keys.",
    "family": "The new {occupation} told us a little about {their} family.",
    "help": "We waited for the {occupation}, and then we thanked {them}.",
}


def records() -> list[dict[str, object]]:
    """Return one record per occupation and template."""
    with SHARES.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    return [
        {
            "example": f"occupations-{line['occupation']}-{name}",
            "text": template.replace("{occupation}", line["occupation"]).replace("{a}", article(line["occupation"])),
            "cluster": line["occupation"],
            "occupation": line["occupation"],
            "share_of_women": round(float(line["percent"]) / 100, 4),
            "year": int(line["year"]),
            "template": name,
        }
        for line in lines
        for name, template in TEMPLATES.items()
    ]


def article(noun: str) -> str:
    """Return "a" or "an"; no occupation here has a silent h or begins like "unit"."""
    return "an" if noun[0] in "aeiou" else "a"


def main() -> int:
    """Write the pack, or compare it with what would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the pack is not fresh")
    content = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records())
    if not parser.parse_args().check:
        TARGET.write_text(content, encoding="utf-8", newline="\n")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != content:
        print(f"Not fresh: {TARGET.name}. Run python tools/build_occupations.py.")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
