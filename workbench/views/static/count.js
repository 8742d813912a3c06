// Counting: one pass over the rows, typed arrays only.
// A row carries one code per field. A brush on a field is a table of 256 bytes: 1 lets a code pass. A row that fails one
// brush only is still counted for that brush's own view: a view is not filtered by its own brush.

const PASSES = 255, FAILS_SEVERAL = 254, FAILS_MASK = 253;

/** The table of a list of codes; null where everything passes. */
function passTable(codes) {
  if (!codes) return null;
  const table = new Uint8Array(256);
  for (const code of codes) table[code] = 1;
  return table;
}

/** Empty counts of a field's view: one entry per code, and one for rows that have none. */
function emptyCounts(bins) {
  const make = () => new Float64Array(bins + 1);
  return { n: make(), known: make(), hits: make(), valued: make(), sum: make(), spread: make() };
}

/** Mark every row with what it fails of the brushes { tables: [table | null], mask: Uint8Array of packed bits | null }. */
function mark(codes, brushes, fails) {
  const rows = fails.length;
  fails.fill(PASSES);
  brushes.tables.forEach((table, f) => {
    if (!table) return;
    const code = codes[f];
    for (let i = 0; i < rows; i++) if (!table[code[i]]) fails[i] = fails[i] === PASSES ? f : FAILS_SEVERAL;
  });
  if (brushes.mask) {
    const mask = brushes.mask;
    for (let i = 0; i < rows; i++) {
      if (!((mask[i >> 3] >> (i & 7)) & 1)) fails[i] = fails[i] === PASSES ? FAILS_MASK : FAILS_SEVERAL;
    }
  }
}

/** Which examples have a row that passes all brushes, (examples,) of 0 and 1; `places` is the example of each row, null for its own. */
function passing(fails, places, examples) {
  const passes = new Uint8Array(examples), rows = fails.length;
  if (places) { for (let i = 0; i < rows; i++) if (fails[i] === PASSES) passes[places[i]] = 1; }
  else for (let i = 0; i < rows; i++) if (fails[i] === PASSES) passes[i] = 1;
  return passes;
}

/** Mark the rows whose example does not pass another report's brushes, as those that fail a mask. */
function follow(fails, places, others) {
  const rows = fails.length;
  for (const passes of others) {
    for (let i = 0; i < rows; i++) {
      if (!passes[places ? places[i] : i]) fails[i] = fails[i] === PASSES ? FAILS_MASK : FAILS_SEVERAL;
    }
  }
}

/**
 * Count the rows of the shown fields, which `mark` and `follow` have marked.
 * columns: { codes: [Uint8Array], value: Float32Array | Float64Array, outcome: Uint8Array (0, 1, 255 unknown), apart: boolean }
 * shown: indices of the fields whose counts are wanted; bins: bins of every field; fails: one byte per row.
 * Returns { selected, views: Map field -> counts }. A row is `valued` where it has a code in field 0: sum (of the value) and spread
 * (of value x (1 - value)) are over those. It is `known` where it counts for the rate: with an outcome, where value and outcome
 * stand `apart`; else where it is valued (a confidence without an outcome has no code).
 */
function countMarked(columns, shown, bins, fails) {
  let selected = 0;
  for (let i = 0; i < fails.length; i++) if (fails[i] === PASSES) selected++;
  return { selected, views: new Map(shown.map(f => [f, countView(columns, f, bins, fails)])) };
}

/** Mark the rows and count them. */
function count(columns, brushes, shown, bins, fails) {
  mark(columns.codes, brushes, fails);
  return countMarked(columns, shown, bins, fails);
}

/** What each row counts for, (n,) of bits: 1 it has a value, 2 its outcome is known, 4 it is a hit. */
function statusOf({ codes: [first], outcome, apart }, missing) {
  const status = new Uint8Array(first.length);
  for (let i = 0; i < status.length; i++) {
    const has = first[i] !== missing ? 1 : 0, known = (apart ? outcome[i] !== 255 : has) ? 2 : 0;
    status[i] = has | known | (known && outcome[i] === 1 ? 4 : 0);
  }
  return status;
}

/**
 * The counts of one field's view, apart for each bucket: `bucket` is one byte per row, below `buckets`; null for one bucket.
 * One plain loop over the rows, which is quicker than all views in one. `tally` counts (bucket, code, status), `sums` holds the sum
 * and the spread of (bucket, code).
 */
function countCube(columns, f, bins, fails, bucket = null, buckets = 1) {
  const status = (columns.status ??= statusOf(columns, bins[0])), width = bins[f] + 1, cells = (bucket ? buckets : 1) * width;
  const tally = new Uint32Array(8 * cells), sums = new Float64Array(2 * cells), code = columns.codes[f], { value } = columns;
  for (let i = 0; i < fails.length; i++) {
    const fail = fails[i];
    if (fail !== PASSES && fail !== f) continue;
    const at = bucket ? bucket[i] * width + code[i] : code[i], is = status[i];
    tally[8 * at + is]++;
    if (is & 1) {
      const p = value[i];
      sums[2 * at] += p;
      sums[2 * at + 1] += p * (1 - p);
    }
  }
  return { tally, sums, width };
}

/** The counts of some buckets of a cube together. */
function sumCube({ tally, sums, width }, buckets, bins) {
  const counts = emptyCounts(bins), { n, known, hits, valued, sum, spread } = counts, whole = new Uint32Array(8 * width);
  for (const a of buckets) {
    for (let k = 0, at = 8 * a * width; k < whole.length; k++) whole[k] += tally[at + k];
    for (let b = 0, at = 2 * a * width; b < width; b++) {
      sum[b] += sums[at + 2 * b];
      spread[b] += sums[at + 2 * b + 1];
    }
  }
  whole.forEach((rows, k) => {
    const b = k >> 3;
    n[b] += rows;
    if (k & 1) valued[b] += rows;
    if (k & 2) known[b] += rows;
    if (k & 4) hits[b] += rows;
  });
  return counts;
}

/** The counts of one field's view. */
const countView = (columns, f, bins, fails) => sumCube(countCube(columns, f, bins, fails), [0], bins[f]);

/** The number, sum and sum of squares of a measure (n,), NaN where a row has none, by the code of one field. */
function countMeans(code, values, f, bins, fails) {
  const n = new Float64Array(bins + 1), sum = new Float64Array(bins + 1), squares = new Float64Array(bins + 1);
  for (let i = 0; i < fails.length; i++) {
    const value = values[i];
    if ((fails[i] !== PASSES && fails[i] !== f) || value !== value) continue;
    n[code[i]]++;
    sum[code[i]] += value;
    squares[code[i]] += value * value;
  }
  return { n, sum, squares };
}

/** Counts of those codes of a view that pass its own brush: the counts of the selection. */
function restrict(counts, table, bins) {
  if (!table) return counts;
  const kept = emptyCounts(bins);
  for (const name of Object.keys(kept)) {
    for (let b = 0; b <= bins; b++) if (table[b]) kept[name][b] = counts[name][b];
  }
  return kept;
}

/** The codes of bins that an interval touches; null for nothing. edges ascend; ends on an edge do not touch the next bin. */
function codesBetween(edges, low, high) {
  const codes = [], slack = 1e-9 * (edges.at(-1) - edges[0]);
  for (let b = 0; b + 1 < edges.length; b++) {
    if (edges[b] < high - slack && edges[b + 1] > low + slack) codes.push(b);
  }
  return codes.length ? codes : null;
}
