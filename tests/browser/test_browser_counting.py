"""The counting in the browser: equal to brute force and to Python's statistics."""

import base64
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pair_probe import pairs, report_of
from scipy.stats import t, ttest_1samp

from workbench.stats import calibration, intervals, ranking
from workbench.stats._intervals import score_bounds
from workbench.views import _assets, _fields, _temperature
from workbench.views._cut import Grouped, rates_at
from workbench.views._lens import lens_of

pytestmark = pytest.mark.browser
FILES = ("count.js", "measures.js", "temper.js", "taken.js")
SETUP = """
const unpack = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const floats = text => new Float32Array(unpack(text).buffer);
window.columns = d => ({ codes: d.codes.map(unpack), value: floats(d.value), outcome: unpack(d.outcome), apart: Boolean(d.apart) });
"""


@pytest.fixture
def script(blank: Any) -> Any:
    """Return a page that has the counting functions."""
    blank.add_script_tag(content=_assets.module(*FILES) + SETUP)
    return blank


def packed(array: np.ndarray) -> str:
    """Return bytes as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def made_up(n: int, *, seed: int = 0, ties: bool = False) -> pd.DataFrame:
    """Return rows with confidences (some on the edges of bins), outcomes and a column to slice by."""
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 2, n)
    if ties:
        confidence = np.round(confidence, 1)
    confidence[:3] = [0.0, 1.0, 0.6]
    correct = (rng.random(n) < confidence**1.5).astype(float)
    domain = rng.choice(["law", "history", "chemistry"], n)
    return pd.DataFrame({"confidence": confidence, "correct": correct, "domain": domain})


def for_page(rows: pd.DataFrame, fields: Any) -> dict[str, Any]:
    """Return rows as the page gets them."""
    return {
        "codes": [packed(field.codes) for field in fields],
        "value": packed(rows["confidence"].fillna(0).to_numpy(np.float32)),
        "outcome": packed(np.where(rows["correct"].isna(), 255, rows["correct"] > 0).astype(np.uint8)),
    }


COUNT = """([d, tables, mask, shown, bins]) => {
  const c = columns(d), brushes = { tables: tables.map(passTable), mask: mask && unpack(mask) };
  const { selected, views } = count(c, brushes, shown, bins, new Uint8Array(c.outcome.length));
  return [selected, shown.map(f => Object.fromEntries(Object.entries(views.get(f)).map(([k, v]) => [k, [...v]])))];
}"""


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_brute_force_and_no_view_is_filtered_by_its_own_brush(script: Any, seed: int) -> None:
    """Every view's counts are those of the rows that pass all other brushes."""
    rows = made_up(3000, seed=seed)
    rows.loc[5:40, "confidence"] = np.nan
    fields = _fields.fields_of(rows, ["domain"], {"bins": 15})
    rng = np.random.default_rng(seed)
    ranges: list[list[int] | None] = [
        sorted(rng.choice(field.bins, max(1, field.bins // 2), replace=False).tolist()) for field in fields
    ]
    ranges[seed % len(ranges)] = None
    mask = rng.random(len(rows)) < 0.8
    bins = [field.bins for field in fields]
    bits = packed(np.packbits(mask, bitorder="little"))

    selected, views = script.evaluate(COUNT, [for_page(rows, fields), ranges, bits, list(range(len(fields))), bins])

    assert selected == int((_fields.keep(fields, ranges) & mask).sum())
    for f, field in enumerate(fields):
        others = [None if g == f else codes for g, codes in enumerate(ranges)]
        passing = _fields.keep(fields, others) & mask
        assert views[f]["n"] == np.bincount(field.codes[passing], minlength=field.bins + 1).tolist()
        known = passing & (fields[0].codes < fields[0].bins)
        hits = np.bincount(field.codes[known], weights=rows["correct"][known], minlength=field.bins + 1)
        assert views[f]["hits"] == hits.tolist()


@pytest.mark.parametrize(("bins", "ties"), [(15, False), (10, True), (7, False), (1, False)])
def test_the_pages_ece_equals_pythons(script: Any, bins: int, ties: bool) -> None:
    """ECE in the browser, from float32 confidences and byte codes, is Python's to 1e-6."""
    rows = made_up(20_000, seed=bins, ties=ties)
    fields = _fields.fields_of(rows, [], {"bins": bins})
    found = script.evaluate(
        """([d, bins]) => { const c = columns(d), n = c.outcome.length;
          const { views } = count(c, { tables: [null], mask: null }, [0], [bins], new Uint8Array(n));
          return [ece(views.get(0), bins), measure(views.get(0), bins)]; }""",
        [for_page(rows, fields[:1]), bins],
    )
    expected = calibration.ece(rows["confidence"], rows["correct"], bins)

    assert found[0] == pytest.approx(expected, abs=1e-6)
    assert found[1]["rate"] == pytest.approx(rows["correct"].mean(), abs=1e-12)
    low, high = intervals.wilson(rows["correct"].sum(), len(rows))
    assert found[1]["interval"] == pytest.approx([float(low), float(high)], abs=1e-9)


@pytest.mark.parametrize("n", [100, 2000])
def test_the_pages_null_band_is_near_pythons(script: Any, n: int) -> None:
    """The normal approximation of the null band is within 15 % of the band by redrawn labels."""
    rows = made_up(n, seed=n)
    fields = _fields.fields_of(rows, [], {"bins": 15})
    high = script.evaluate(
        """([d, bins]) => { const c = columns(d);
          const { views } = count(c, { tables: [null], mask: null }, [0], [bins], new Uint8Array(c.outcome.length));
          return measure(views.get(0), bins).band.high; }""",
        [for_page(rows, fields[:1]), 15],
    )
    expected = calibration.null_band(rows["confidence"], rows["correct"], draws=4000).ece

    assert high == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("ties", [False, True])
def test_the_pages_curve_lies_on_pythons(script: Any, ties: bool) -> None:
    """Each point of the browser's risk-coverage curve is a point of Python's, ties never split."""
    rows = made_up(1500, seed=3, ties=ties)
    fields = _fields.fields_of(rows, [], {"bins": 15})
    points = script.evaluate(
        """([d, bins]) => { const c = columns(d);
          const { views } = count(c, { tables: [null, null], mask: null }, [0, 1], bins, new Uint8Array(c.outcome.length));
          return riskRows(views.get(1), bins[1]).map(row => [row.coverage, row.risk]); }""",
        [for_page(rows, fields[:2]), [field.bins for field in fields[:2]]],
    )
    curve = ranking.risk_coverage(rows["confidence"], rows["correct"], points=len(rows))

    expected = dict(zip(np.round(curve.coverage, 9), curve.risk, strict=True))
    assert len(points) == (len(expected) if ties else 200)
    for coverage, risk in points:
        assert risk == pytest.approx(expected[round(coverage, 9)], abs=1e-9)


@pytest.mark.parametrize("temperature", [0.25, 0.7, 1.0, 2.5])
def test_the_temperature_gives_the_kernels_codes(script: Any, temperature: float) -> None:
    """At any temperature the page and the kernel put every row into the same bin and part of the ranking."""
    rng = np.random.default_rng(8)
    logits = rng.normal(0, 2, (2000, 4)).astype(np.float32)
    label = rng.integers(0, 4, 2000)
    logits[:500, 3] = -np.inf
    label[:500] %= 3
    values = _temperature.Logits(logits, label.astype(np.int16))
    stated = values.confidence(1.0)
    rows = pd.DataFrame({"confidence": stated, "correct": (logits.argmax(1) == label).astype(float)})
    fields = _fields.fields_of(rows, [], {"bins": 15})
    page = script.evaluate(
        """([d, edges, logits, labels, t]) => {
          const base = columns(d), rows = base.outcome.length;
          const store = { base, rows, fields: edges.map(e => ({ edges: e, bins: e.length - 1 })),
            logits: { logits: floats(logits), labels: new Int16Array(unpack(labels).buffer), classes: 4 } };
          const { loss, columns: at } = tempered(store, t), fails = new Uint8Array(rows).fill(255);
          return [[...at.codes[0]], [...at.codes[1]], meanLoss(loss, fails), eceOf(at, fails, edges[0].length - 1)]; }""",
        [
            for_page(rows, fields[:2]),
            [field.edges.tolist() for field in fields[:2]],
            packed(logits),
            packed(values.labels),
            temperature,
        ],
    )
    there = _fields.tempered(fields[:2], values.confidence(temperature))

    assert page[0] == there[0].codes.tolist()
    assert page[1] == there[1].codes.tolist()
    assert page[2] == pytest.approx(values.nll(temperature).mean(), abs=1e-9)
    expected = calibration.ece(values.confidence(temperature), rows["correct"], 15)
    assert page[3] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_pages_rates_and_gaps_at_a_line_are_pythons(script: Any, seed: int) -> None:
    """Coverage, precision, TPR, FPR, accuracy and their gaps between groups, of float32 values with ties on the line."""
    rng = np.random.default_rng(seed)
    n, names = 3000, ["selection_rate", "ppv", "tpr", "fpr", "accuracy"]
    value = np.round(rng.beta(4, 2, n), 2).astype(np.float32)
    truth, group, chosen = rng.integers(0, 2, n).astype(float), rng.integers(0, 4, n), rng.random(n) < 0.7
    truth[rng.random(n) < 0.1] = np.nan
    truth[group == 3] = 1.0  # a group without negatives has no FPR
    at = 0.62
    codes = np.where(rng.random(n) < 0.05, 15, 0).astype(np.uint8)
    page = script.evaluate(
        """([codes, value, truth, group, fails, at, names]) => {
          const columns = { codes: [unpack(codes)], value: floats(value) };
          const counts = countTaken(columns, unpack(truth), 15, unpack(group), 4, unpack(fails), at);
          return takenRates(counts, 4, names); }""",
        [
            packed(codes),
            packed(value),
            packed(np.where(np.isnan(truth), 255, truth).astype(np.uint8)),
            packed(group.astype(np.uint8)),
            packed(np.where(chosen, 255, 254).astype(np.uint8)),
            at,
            names,
        ],
    )
    kept = chosen & np.isfinite(truth) & (codes < 15)
    taken = value[kept].astype(np.float64) >= at
    found = rates_at(truth[kept], taken, dict.fromkeys(names, ""), Grouped("g", group[kept].astype(str)))
    lines = found.set_index(["rate", "group"])["value"]

    assert page["n"] == kept.sum()
    for k, name in enumerate(names):
        assert page["rates"][k] == pytest.approx(lines[name, "all"], abs=1e-9)
        assert page["gaps"][k] == pytest.approx(lines[f"{name}_difference", "g"], abs=1e-9)
        for code, one in enumerate(page["groups"]):
            expected = lines[name, f"g={code}"]
            assert one["rates"][k] == pytest.approx(expected, abs=1e-9, nan_ok=True) or (
                one["rates"][k] is None and np.isnan(expected)
            )


@pytest.mark.slow  # a time is for `make acceptance`
def test_a_million_rows_are_counted_within_a_tenth_of_a_second(script: Any) -> None:
    """One pass over 1e6 rows and five fields, three of them on show, is quick enough to follow a hand."""
    milliseconds = script.evaluate("""() => {
      const n = 1e6, F = 5, code = f => Uint8Array.from({ length: n }, (_, i) => (i * (f + 7) * 2654435761 >>> 9) % 15);
      const codes = Array.from({ length: F }, (_, f) => code(f));
      const c = { codes, value: new Float32Array(n).fill(0.5), outcome: new Uint8Array(n) };
      const fails = new Uint8Array(n);
      const tables = [passTable([3, 4, 5, 6]), null, passTable([1, 2, 3]), null, null], times = [];
      for (let k = 0; k < 9; k++) {
        const begun = performance.now();
        count(c, { tables, mask: null }, [0, 1, 2], Array(F).fill(15), fails);
        times.push(performance.now() - begun);
      }
      return times.sort((a, b) => a - b)[4];
    }""")

    print(f"count of 1e6 rows: {milliseconds:.1f} ms (median of 9)")
    assert milliseconds < 100


def test_a_value_and_an_outcome_that_stand_apart_are_counted_each_by_itself(script: Any) -> None:
    """The page's rate is over rows with an outcome, its mean over rows with a value; the interval is Python's with clusters."""
    report = report_of(pairs(400))
    lens = lens_of(report)
    rows = report.explored.copy()
    page = {
        "codes": [packed(field.codes) for field in lens.fields],
        "value": packed(np.nan_to_num(lens.value).astype(np.float32)),
        "outcome": packed(np.where(np.isnan(lens.outcome), 255, lens.outcome > 0).astype(np.uint8)),
        "apart": True,
    }
    found, bars = script.evaluate(
        """([d, bins, edges, effect]) => { const c = columns(d), none = bins.map(() => null);
          const { views } = count(c, { tables: none, mask: null }, [0], bins, new Uint8Array(c.outcome.length));
          return [measure(views.get(0), bins[0], { effect, calibrated: false }), histogramRows(views.get(0), edges)]; }""",
        [page, [field.bins for field in lens.fields], lens.fields[0].edges.tolist(), lens.effect._asdict()],
    )
    share = intervals.proportion(rows["stereotype"].dropna(), clusters=rows["cluster"][rows["stereotype"].notna()])

    assert (found["known"], found["valued"]) == (397, 398)
    assert found["rate"] == pytest.approx(share.value)
    assert found["interval"] == pytest.approx([share.low, share.high], abs=1e-9)
    assert found["mean"] == pytest.approx(rows["difference"].mean(), abs=1e-6)
    assert found["deviation"] == pytest.approx(rows["difference"].std(ddof=0), abs=1e-6)
    expected, _ = np.histogram(rows["difference"].dropna(), lens.fields[0].edges)
    assert [bar["n"] for bar in bars] == expected.tolist()


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (3, 40), (40, 40), (0, 12), (250, 397)])
def test_the_pages_wilson_counts_effective_rows(script: Any, hits: int, n: int) -> None:
    """Wilson at n / effect rows, one at least, with Student's quantile; an effect of 1 is plain Wilson."""
    for effect, quantile in ((1.0, intervals.z_quantile(0.95)), (5.5, 2.2)):
        found = script.evaluate(
            "a => wilson(a[0], a[1], { effect: a[2], quantile: a[3] })", [hits, n, effect, quantile]
        )
        few = max(1.0, n / effect)
        low, high = score_bounds(np.array(hits / n * few), np.array(few), quantile)

        assert found == pytest.approx([float(low), float(high)], abs=1e-12)


def test_the_cells_of_a_map_are_means_with_their_intervals(script: Any) -> None:
    """Means by term equal pandas'; a share has Wilson's interval, another mean Student's; the term's own brush does not filter."""
    rng = np.random.default_rng(6)
    code, share, value = rng.integers(0, 3, 60), rng.choice([0, 0.5, 1, np.nan], 60), rng.normal(1, 2, 60)
    fields = [packed(code.astype(np.uint8)), packed(rng.integers(0, 2, 60).astype(np.uint8))]
    quantiles = t.ppf(0.975, np.arange(1, 101)).tolist()
    found = script.evaluate(
        """([codes, measures, students]) => { const c = codes.map(unpack), fails = new Uint8Array(60), out = new Uint8Array(60);
          const brushes = { tables: [passTable([1]), passTable([0])], mask: null };
          count({ codes: c, value: new Float32Array(60), outcome: out, apart: true }, brushes, [0], [3, 2], fails);
          const effect = { effect: 1, quantile: Z };
          return measures.map(([text, share]) => { const cells = countMeans(c[0], floats(text), 0, 3, fails);
            return [0, 1, 2].map(code => cellOf(cells, code, { share, effect }, students)); }); }""",
        [fields, [[packed(share.astype(np.float32)), True], [packed(value.astype(np.float32)), False]], quantiles],
    )
    passes = np.frombuffer(base64.b64decode(fields[1]), np.uint8) == 0
    for k in range(3):
        some = share[(code == k) & passes & np.isfinite(share)]
        assert (found[0][k]["n"], found[0][k]["mean"]) == (len(some), pytest.approx(some.mean()))
        low, high = intervals.wilson(some.sum(), len(some))
        assert (found[0][k]["low"], found[0][k]["high"]) == pytest.approx((float(low), float(high)), abs=1e-9)
        some = value[(code == k) & passes]
        expected = ttest_1samp(some, 0).confidence_interval()
        assert (found[1][k]["low"], found[1][k]["high"]) == pytest.approx(tuple(expected), abs=1e-5)


@pytest.mark.parametrize("mean", [False, True])
def test_curves_are_those_of_python(script: Any, mean: bool) -> None:
    """Lines start from the point without a name; rates have Wilson's interval, means the normal one; empty points are left out."""
    rng = np.random.default_rng(3)
    places, labels, n = [0, 1, 3, 1, 3], ["", "ocr", "ocr", "swap", "swap"], 400
    codes, value, hits = rng.choice([0, 1, 2, 4], n), rng.random(n), rng.integers(0, 2, n)
    data = {
        "codes": [packed(np.zeros(n, np.uint8)), packed(codes.astype(np.uint8))],
        "value": packed(value.astype(np.float32)),
        "outcome": packed(hits.astype(np.uint8)),
        "apart": True,
    }
    code = """([d, field, about]) => {
      const c = columns(d), seen = count(c, { tables: [null, null], mask: null }, [1], [1, 5], new Uint8Array(400));
      return curveRows(seen.views.get(1), field, about); }"""
    about = {"effect": {"effect": 1.5, "quantile": 2.1}, "mean": mean}
    found = script.evaluate(code, [data, {"edges": places, "labels": labels}, about])

    assert [("ocr", 0), ("ocr", 1), ("ocr", 3), ("swap", 0), ("swap", 3)] == [
        (one["line"], one["place"]) for one in found
    ]
    for row, at in zip(found, [0, 1, 2, 0, 4], strict=True):
        mine = (value if mean else hits)[codes == at]
        half = 2.1 * mine.std(ddof=1) * np.sqrt(1.5 / len(mine))
        low, high = score_bounds(mine.sum() / 1.5, len(mine) / 1.5, 2.1)
        wanted = (mine.mean() - half, mine.mean() + half) if mean else (low, high)
        assert (len(mine), pytest.approx(mine.mean(), abs=1e-6)) == (row["n"], row["value"])
        assert pytest.approx([float(end) for end in wanted], abs=1e-6) == [row["low"], row["high"]]


def test_small_numbers_without_an_interval_are_not_shown_as_zero(script: Any) -> None:
    """A p-value of 1.7e-224 is no 0.000; a small number with an interval has the interval's digits."""
    shown = script.evaluate("() => [digits(1.7e-224, null, null), digits(0.2, null, null), digits(0.0001, -0.1, 0.1)]")
    assert ["1.7e-224", "0.200", "0.00"] == shown


def test_a_picture_is_made_of_a_png_and_of_nothing_else(blank: Any) -> None:
    """Other addresses give no element at all."""
    blank.add_script_tag(content=_assets.module("dom.js", "grid.js"))
    given = ["data:image/png;base64,iVBORw0KGgo=", "data:image/svg+xml;base64,AAAA", "javascript:alert(1)", "x.png", ""]
    made = blank.evaluate(
        "all => all.map(one => pictured(one, 'Image').map(e => e.tagName + e.getAttribute('src')))", given
    )
    assert [[f"IMG{given[0]}"], [], [], [], []] == made


@pytest.mark.parametrize("aligned", [True, False])
def test_what_passes_in_one_report_is_followed_in_another(script: Any, aligned: bool) -> None:
    """Random brushes in two reports, one with many rows of an example: marks and counts are those of the kernel's link."""
    rng = np.random.default_rng(11)
    examples, rows = 400, 400 if aligned else 1500
    places = np.arange(400) if aligned else rng.integers(0, 380, rows)
    codes = [rng.integers(0, 9, 400).astype(np.uint8), rng.integers(0, 5, rows).astype(np.uint8)]
    allowed = [[1, 2, 5, 7], [0, 3]]
    found = script.evaluate(
        """([codes, allowed, places, examples]) => {
          const c = codes.map(unpack), at = places && new Int32Array(unpack(places).buffer);
          const fails = c.map(one => new Uint8Array(one.length));
          const own = [null, at], passes = c.map((one, k) => {
            mark([one], { tables: [passTable(allowed[k])], mask: null }, fails[k]); return passing(fails[k], own[k], examples); });
          return c.map((one, k) => { follow(fails[k], own[k], [passes[1 - k]]);
            const columns = { codes: [one], value: new Float32Array(one.length), outcome: new Uint8Array(one.length), apart: true };
            const seen = countMarked(columns, [0], [9], fails[k]);
            return [seen.selected, [...seen.views.get(0).n].slice(0, 9)]; }); }""",
        [[packed(one) for one in codes], allowed, None if aligned else packed(places.astype(np.int32)), examples],
    )
    of = [np.arange(400), places]
    keeps = [np.isin(one, some) for one, some in zip(codes, allowed, strict=True)]
    for k in (0, 1):
        passed = np.isin(of[k], of[1 - k][keeps[1 - k]])
        assert found[k][0] == int((keeps[k] & passed).sum())
        assert found[k][1] == np.bincount(codes[k][passed], minlength=9).tolist()  # its own brush does not filter it
