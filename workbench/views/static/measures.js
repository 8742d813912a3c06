// Statistics of counts: Wilson intervals, ECE with its null band, the risk-coverage curve. Pure functions.

const Z = 1.959963984540054, DRAWS = 1000;

const INDEPENDENT = { effect: 1, quantile: Z };

/**
 * Wilson's 95 % interval of a share. Where rows of one cluster resemble each other (`design`: the kernel's design effect and
 * quantile), n / effect rows count, one at least.
 */
function wilson(hits, n, { effect, quantile } = INDEPENDENT) {
  if (!(n > 0)) return [null, null];
  const p = hits / n, rows = Math.max(1, n / effect), z2 = quantile * quantile;
  const centre = (p + z2 / (2 * rows)) / (1 + z2 / rows);
  const half = quantile * Math.sqrt(p * (1 - p) / rows + z2 / (4 * rows * rows)) / (1 + z2 / rows);
  return [hits === 0 ? 0 : Math.max(0, centre - half), hits === n ? 1 : Math.min(1, centre + half)];
}

/** Mean and standard deviation of n values, from their sum and the sum of value x (1 - value). */
function meanOf(sum, spread, n) {
  const mean = sum / n;
  return { mean, deviation: Math.sqrt(Math.max(0, (sum - spread) / n - mean * mean)) };
}

/**
 * The mean of a measure in one code, with its 95 % interval; null where there is none. A share has Wilson's (for values between 0
 * and 1 it is the wider); another mean Student's, at n / effect rows. `students` are the quantiles of 1, 2, ... degrees of freedom.
 */
function cellOf({ n, sum, squares }, code, { share, effect }, students) {
  const rows = n[code];
  if (!rows) return null;
  const mean = sum[code] / rows, count = rows / effect.effect;
  if (share) { const [low, high] = wilson(sum[code], rows, effect); return { n: rows, mean, low, high }; }
  const freedom = Math.floor(count) - 1;
  if (freedom < 1) return { n: rows, mean, low: null, high: null };
  const spread = Math.max(0, squares[code] / rows - mean * mean) * (rows / Math.max(1, rows - 1));
  const half = Math.max(effect.quantile, students[Math.min(freedom, students.length) - 1]) * Math.sqrt(spread / count);
  return { n: rows, mean, low: mean - half, high: mean + half };
}

const total = values => values.reduce((sum, value) => sum + value, 0);

/** Expected calibration error of counts per bin of confidence: sum over bins of |hits - sum of confidence| / n. */
function ece(counts, bins) {
  let gaps = 0, n = 0;
  for (let b = 0; b < bins; b++) {
    gaps += Math.abs(counts.hits[b] - counts.sum[b]);
    n += counts.known[b];
  }
  return n ? gaps / n : NaN;
}

/** Standard normal deviates, the same on every page: mulberry32 and Box-Muller. */
function deviates(n, seed = 20260101) {
  const out = new Float64Array(n);
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  for (let i = 0; i < n; i += 2) {
    const r = Math.sqrt(-2 * Math.log(uniform())), angle = 2 * Math.PI * uniform();
    out[i] = r * Math.cos(angle);
    if (i + 1 < n) out[i + 1] = r * Math.sin(angle);
  }
  return out;
}

let normals = new Float64Array(0);

/**
 * What calibrated models with these confidences show, by the normal approximation of each bin's hits (the kernel redraws the
 * labels themselves): the 95 % quantile of ECE and the share of draws that reach the observed one.
 */
function nullBand(counts, bins, observed) {
  const scales = [];
  let n = 0;
  for (let b = 0; b < bins; b++) {
    n += counts.known[b];
    if (counts.known[b]) scales.push(Math.sqrt(counts.spread[b]));
  }
  if (!n) return { high: NaN, p: NaN };
  if (normals.length < scales.length * DRAWS) normals = deviates(scales.length * DRAWS);
  const drawn = new Float64Array(DRAWS);
  let reach = 0, at = 0;
  for (let d = 0; d < DRAWS; d++) {
    let gaps = 0;
    for (const scale of scales) gaps += Math.abs(normals[at++]) * scale;
    drawn[d] = gaps / n;
    if (drawn[d] >= observed - 1e-12) reach++;
  }
  drawn.sort();
  return { high: drawn[Math.ceil(0.95 * DRAWS) - 1], p: (1 + reach) / (1 + DRAWS) };
}

/**
 * Everything about a selection that its counts per code of field 0 tell: the rate of the outcome and the mean of the value, and
 * the calibration where the value is a confidence.
 */
function measure(counts, bins, { effect = INDEPENDENT, calibrated = true } = {}) {
  const known = total(counts.known), hits = total(counts.hits), valued = total(counts.valued);
  const found = { known, hits, rate: hits / known, interval: wilson(hits, known, effect), valued,
    ...meanOf(total(counts.sum), total(counts.spread), valued) };
  if (!calibrated) return found;
  const error = ece(counts, bins);
  return { ...found, ece: error, band: nullBand(counts, bins, error) };
}

/** Rows of a histogram: the number of rows in each bin. */
function histogramRows(counts, edges) {
  return Array.from({ length: edges.length - 1 }, (_, b) => ({ lower: edges[b], upper: edges[b + 1], n: counts.n[b] }));
}

/** Rows of the reliability diagram; null where a bin is empty. */
function reliabilityRows(counts, edges, design) {
  const rows = [];
  for (let b = 0; b + 1 < edges.length; b++) {
    const n = counts.known[b], row = { lower: edges[b], upper: edges[b + 1], n };
    const empty = { confidence: null, accuracy: null, low: null, high: null, null_low: null, null_high: null };
    if (!n) { rows.push({ ...row, ...empty }); continue; }
    const mean = counts.sum[b] / n, spread = Z * Math.sqrt(counts.spread[b]) / n;
    const [low, high] = wilson(counts.hits[b], n, design);
    rows.push({ ...row, confidence: mean, accuracy: counts.hits[b] / n, low, high,
      null_low: Math.max(0, mean - spread), null_high: Math.min(1, mean + spread) });
  }
  return rows;
}

/** The risk-coverage curve: after each part of the ranking, the share answered and the share wrong among those. */
function riskRows(counts, bins, design) {
  const rows = [], n = total(counts.known.subarray(0, bins));
  let seen = 0, wrong = 0;
  for (let b = 0; b < bins; b++) {
    if (!counts.known[b]) continue;
    seen += counts.known[b];
    wrong += counts.known[b] - counts.hits[b];
    const [low, high] = wilson(wrong, seen, design);
    rows.push({ code: b, coverage: seen / n, risk: wrong / seen, low, high });
  }
  return rows;
}

/** How many decimals an interval can bear, two to four. */
function placesOf(low, high) {
  const half = low === null || high === null ? 0 : (high - low) / 2;
  return half > 0 ? Math.min(4, Math.max(2, Math.ceil(-Math.log10(half)) + 1)) : 3;
}

/**
 * Rows of the curves: each line from its start on (the point without a label, clean examples), the rate of the outcome or, with
 * `mean`, the mean of the value at each point; points without rows are left out.
 */
function curveRows(counts, { edges, labels }, { effect, mean }) {
  const point = (code, line) => {
    const n = mean ? counts.valued[code] : counts.known[code], row = { place: edges[code], line, n };
    if (!n) return null;
    if (!mean) { const [low, high] = wilson(counts.hits[code], n, effect); return { ...row, value: counts.hits[code] / n, low, high }; }
    const found = meanOf(counts.sum[code], counts.spread[code], n), half = effect.quantile * found.deviation * Math.sqrt(effect.effect / Math.max(1, n - 1));
    return { ...row, value: found.mean, low: n > 1 ? found.mean - half : null, high: n > 1 ? found.mean + half : null };
  };
  const start = labels.indexOf(""), lines = [...new Set(labels)].filter(Boolean);
  return lines.flatMap(line => {
    const codes = labels.flatMap((label, code) => (label === line ? [code] : []));
    const points = codes.map(code => point(code, line)).filter(Boolean);
    const first = start >= 0 && points.length ? point(start, line) : null;
    return first ? [first, ...points] : points;
  });
}

/** A number with as many digits as its interval can bear, or with so many decimals; without an interval a small one is not 0. */
function digits(value, low, high, places = placesOf(low, high)) {
  if (value === null || !Number.isFinite(value)) return "–";
  if (low === null && value > 0 && value < 0.0005) return value.toExponential(1);    // a p-value is never 0
  return value.toFixed(places).replace("-", "−");
}
