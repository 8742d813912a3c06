"""Cubes in the page: while one brush moves, their sums are what a count of all rows gives, and what the kernel selects."""

import base64
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.views import _assets
from workbench.views.canvas import Canvas

pytestmark = pytest.mark.browser
FILES = ("count.js", "measures.js", "temper.js", "cubes.js", "link.js", "store.js")
BYTES = ("codes", "value", "outcome", "measures", "places", "mask", "truth")
SETUP = """sides => {
  const frames = [];
  window.requestAnimationFrame = frame => frames.push(frame);
  window.flushed = () => { for (const frame of frames.splice(0)) frame(); };
  window.stores = sides.map(({ about, state, ...bytes }) => {
    const unpacked = text => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
    const held = Object.fromEntries(Object.entries(bytes).map(([name, text]) => [name, unpacked(text)]));
    return storeOf({ get: name => ({ about, state, ...held })[name], on() {}, off() {}, send() {} });
  });
  flushed();
}"""
MOVE = """([k, field, codes, press]) => {
  const { link } = stores[0];
  if (press) stores[k].prepare(field);
  const before = link.cubes;
  if (field === null) stores[k].clear(); else stores[k].brush(field, codes, true);
  flushed();
  const plain = new Cubes(link, null), worst = [];
  for (const store of stores) for (const [f, counts] of store.views) {
    const whole = plain.counts(store, f);
    for (const name of Object.keys(whole)) whole[name].forEach((value, b) => worst.push(Math.abs(value - counts[name][b])));
    const passing = countView(store.columns, f, store.bins, store.fails), all = restrict(counts, store.tables[f], store.bins[f]);
    worst.push(Math.abs(total(restrict(passing, store.tables[f], store.bins[f]).n) - total(all.n)));
  }
  const rows = stores.map(store => store.selected);
  return { kept: link.cubes === before, worst: Math.max(...worst), rows, examples: link.selected, alike: plain.selected };
}"""


def reports(seed: int, *, tokens: bool) -> list[wb.Report]:
    """Return three reports on overlapping examples in orders of their own, one perhaps with three rows of each example."""
    rng = np.random.default_rng(seed)
    n = 400
    frame = pd.DataFrame({"example": [f"e{i}" for i in range(n)], "confidence": rng.beta(4, 2, n)})
    frame["correct"] = (rng.random(n) < frame.confidence).astype(float)
    frame["domain"] = rng.choice(["law", "history", "music", ""], n)
    frame.loc[rng.random(n) < 0.05, "confidence"] = np.nan
    some = frame.sample(250, random_state=seed).assign(confidence=rng.beta(2, 2, 250))
    others = pd.concat(
        [frame.head(300).sample(frac=1, random_state=seed), frame.head(9).assign(example=[f"x{i}" for i in range(9)])]
    )
    made = [wb.from_predictions(one, by=["domain"], name="small") for one in (frame, some, others)]
    if tokens:
        rows = pd.concat(
            [made[2].rows.assign(variant=str(k), confidence=rng.beta(2, 2, 309)) for k in range(3)], ignore_index=True
        )
        made[2] = wb.Report(rows, made[2].record)
    return made


@pytest.mark.parametrize(("seed", "tokens"), [(0, False), (1, False), (2, True)])
def test_a_move_adds_up_what_a_count_of_all_rows_gives(blank: Any, seed: int, *, tokens: bool) -> None:
    """Brushes that come, move and go in three reports: each view is that of a whole count, each selection the kernel's."""
    canvas = wb.explore(*reports(seed, tokens=tokens))
    assert isinstance(canvas, Canvas)
    sides = canvas.explorers
    blank.add_script_tag(content=_assets.module(*FILES))
    told = [
        {
            "about": one.about,
            "state": one.state,
            **{name: base64.b64encode(getattr(one, name)).decode() for name in BYTES},
        }
        for one in sides
    ]
    blank.evaluate(SETUP, told)
    rng = np.random.default_rng(seed)
    kept = 0
    for step in range(40):
        k = int(rng.integers(3)) if step % 4 == 0 else k  # noqa: F821 — a hand stays with a chart for some moves
        field = int(rng.integers(len(told[k]["about"]["fields"]))) if step % 4 == 0 else field  # noqa: F821
        bins = told[k]["about"]["fields"][field]["bins"]
        low = int(rng.integers(bins))
        codes = None if step % 5 == 4 or bins < 2 else list(range(low, min(bins, low + max(1, bins // 2))))
        ranges = list(sides[k].state["ranges"])
        ranges[field] = codes
        message = {
            "kind": "brush",
            "serial": step + 1,
            "ranges": ranges,
            "mask": False,
            "temperature": 1,
            "origin": "page",
        }
        sides[k]._hear(sides[k], message, [])

        seen = blank.evaluate(MOVE, [k, field, codes, step % 8 == 0])

        kept += seen["kept"]
        assert seen["worst"] < 1e-9
        assert seen["rows"] == [len(one.selection) for one in sides]
        assert seen["examples"] == seen["alike"] == len(canvas.ids)
    assert (
        kept >= 15 if not tokens else kept >= 8
    )  # a report with several rows of an example is counted anew in the others
