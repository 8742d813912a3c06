"""Write the packs `facts` and `mini` from the fact tables in `tools/facts`; `--check` only says whether they are fresh.

Run from the repository root: ``python tools/build_facts.py [--check]``. Nothing is drawn at random: wrong answers and the order
of choices follow from hashes, so the files are the same on every machine.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.facts import reckoned, words  # noqa: E402
from tools.facts.fact import Fact, shuffled  # noqa: E402

PACKS = ROOT / "workbench" / "data" / "packs"
MINI = ("geography", "chemistry", "arithmetic", "biology", "literature", "history")


def facts() -> list[Fact]:
    """Return every fact, domain by domain."""
    return [
        *words.capitals(),
        *words.elements(),
        *reckoned.arithmetic(),
        *reckoned.calendar(),
        *reckoned.units(),
        *words.animals(),
        *words.species(),
        *words.written("biology"),
        *words.literature(),
        *words.years(),
        *words.written("history"),
        *words.written("physics"),
    ]


def records(found: Sequence[Fact]) -> list[dict[str, object]]:
    """Return one record per fact; the place of the right answer goes round, so that each place is right equally often."""
    by_key = {fact.key: fact for fact in found}
    if len(by_key) != len(found):
        keys = [fact.key for fact in found]
        raise SystemExit(f"These keys are not unique: {sorted({key for key in keys if keys.count(key) > 1})}")
    domains = list(dict.fromkeys(fact.domain for fact in found))
    order = [key for domain in domains for key in shuffled((f.key for f in found if f.domain == domain), "place")]
    place = {key: i % 4 for i, key in enumerate(order)}
    lines = []
    for fact in found:
        if len({fact.right, *fact.wrong}) != 4:
            raise SystemExit(f"{fact.key} does not have four distinct choices: {fact.right}, {fact.wrong}")
        label = place[fact.key]
        choices = shuffled(fact.wrong, "order", fact.key)
        choices.insert(label, fact.right)
        lines.append(
            {
                "example": f"facts-{fact.key}",
                "text": fact.text,
                "choices": choices,
                "label": label,
                "domain": fact.domain,
                "topic": fact.topic,
                "difficulty": fact.difficulty,
                "continent": fact.continent,
            }
        )
    return lines


def mini(lines: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Return twelve of the records: two of each of six domains, each place right three times; the capital of France first."""
    by_id = {str(line["example"]): line for line in lines}
    picked = [by_id["facts-capital-france"]]
    need = dict.fromkeys(range(4), 3)
    need[int(str(picked[0]["label"]))] -= 1
    for domain in (*MINI[1:], *MINI):
        level = "easy" if domain not in {line["domain"] for line in picked} else "hard"
        for key in shuffled((key for key, line in by_id.items() if line["domain"] == domain), "mini"):
            line = by_id[key]
            if line["difficulty"] == level and need[int(str(line["label"]))]:
                picked.append(line)
                need[int(str(line["label"]))] -= 1
                break
    if len(picked) != 12:
        raise SystemExit(f"The pack mini has {len(picked)} questions instead of 12.")
    return picked


def text(lines: Sequence[dict[str, object]]) -> str:
    """Return records as JSON lines."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def main() -> int:
    """Write the packs, or compare them with what would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a pack is not fresh")
    check = parser.parse_args().check
    lines = records(facts())
    stale = []
    for name, content in {"facts": text(lines), "mini": text(mini(lines))}.items():
        target = PACKS / f"{name}.jsonl"
        if check:
            if not target.exists() or target.read_text(encoding="utf-8") != content:
                stale.append(target.name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8", newline="\n")
    if stale:
        print(f"Not fresh: {', '.join(stale)}. Run python tools/build_facts.py.")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
