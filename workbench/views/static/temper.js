// The temperature slider: confidences, codes and the negative log-likelihood at T, from float32 logits, in the browser.

/** Largest probability of each row at T into `out`, and -log p(label) into `loss`, NaN where there is no label. */
function temper(logits, labels, classes, temperature, out, loss) {
  const rows = out.length;
  for (let i = 0; i < rows; i++) {
    const at = i * classes;
    let top = -Infinity;
    for (let k = 0; k < classes; k++) if (logits[at + k] > top) top = logits[at + k];
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp((logits[at + k] - top) / temperature);
    out[i] = 1 / sum;
    loss[i] = labels[i] >= 0 && top > -Infinity ? Math.log(sum) - (logits[at + labels[i]] - top) / temperature : NaN;
  }
}

/** Mean of the losses of the rows that pass every brush. */
function meanLoss(loss, fails) {
  let sum = 0, n = 0;
  for (let i = 0; i < fails.length; i++) if (fails[i] === PASSES && loss[i] === loss[i]) { sum += loss[i]; n++; }
  return n ? sum / n : NaN;
}

/** ECE of the rows that pass every brush, with the confidences of `columns`. */
function eceOf(columns, fails, bins) {
  const hits = new Float64Array(bins), sum = new Float64Array(bins), known = new Float64Array(bins), code = columns.codes[0];
  for (let i = 0; i < fails.length; i++) {
    const b = code[i];
    if (fails[i] !== PASSES || b === bins) continue;
    known[b]++;
    sum[b] += columns.value[i];
    if (columns.outcome[i] === 1) hits[b]++;
  }
  return ece({ hits, sum, known }, bins);
}

/** Bins of confidences, closed on the left, the last on both sides; rows that had none (code = bins) keep that. */
function binCodes(confidence, edges, stated, out) {
  const bins = edges.length - 1;
  for (let i = 0; i < out.length; i++) {
    if (stated[i] === bins) { out[i] = bins; continue; }
    const p = confidence[i];
    let b = Math.min(bins - 1, Math.max(0, Math.floor(p * bins)));
    while (b > 0 && p < edges[b]) b--;
    while (b < bins - 1 && p >= edges[b + 1]) b++;
    out[i] = b;
  }
}

/** Parts of the ranking by confidence, as the kernel cuts them: `edges` are shares of the ranking. */
function rankCodes(confidence, usable, missing, edges, stated, out) {
  const kept = Float64Array.from({ length: usable }), bins = edges.length - 1;
  let at = 0;
  for (let i = 0; i < out.length; i++) if (stated[i] !== missing) kept[at++] = confidence[i];
  kept.sort();
  const first = (values, from, to, test) => {
    while (from < to) {
      const middle = (from + to) >> 1;
      if (test(values[middle])) to = middle; else from = middle + 1;
    }
    return from;
  };
  for (let i = 0; i < out.length; i++) {
    if (stated[i] === missing) { out[i] = bins; continue; }
    const p = confidence[i], below = first(kept, 0, usable, value => value >= p);
    const share = (usable - below) / usable - 1e-9;
    out[i] = Math.min(bins - 1, first(edges, 1, edges.length, edge => edge >= share) - 1);
  }
}

/** The columns at a temperature: other confidences, bins and ranks; the rest as it was. */
function tempered(store, temperature) {
  const { logits, labels, classes } = store.logits, base = store.base, [stated, covered] = store.fields;
  const rows = store.rows, confidence = new Float64Array(rows);
  const loss = new Float64Array(rows);
  temper(logits, labels, classes, temperature, confidence, loss);
  const bins = new Uint8Array(rows), ranks = new Uint8Array(rows);
  binCodes(confidence, stated.edges, base.codes[0], bins);
  const usable = base.codes[0].reduce((n, code) => n + (code !== stated.bins), 0);
  rankCodes(confidence, usable, stated.bins, covered.edges, base.codes[0], ranks);
  return { loss, columns: { codes: [bins, ranks, ...base.codes.slice(2)], value: confidence, outcome: base.outcome, apart: false } };
}
