// A line through the values: which rows lie at or above it, what that says of a truth, overall and by group. Pure functions.

/**
 * The four counts of a line by the code of one field, over the rows that pass all brushes and have a value and a truth (0 or 1): n,
 * those taken (at or above the line), those that are true, and both.
 */
function countTaken({ codes, value }, truth, missing, code, bins, fails, at) {
  const make = () => new Float64Array(bins + 1), n = make(), taken = make(), yes = make(), both = make(), first = codes[0];
  for (let i = 0; i < fails.length; i++) {
    if (fails[i] !== PASSES || first[i] === missing || truth[i] === 255) continue;
    const b = code[i], above = value[i] >= at;
    n[b]++;
    if (above) taken[b]++;
    if (truth[i] !== 1) continue;
    yes[b]++;
    if (above) both[b]++;
  }
  return { n, taken, yes, both };
}

/** Hits and rows of each rate, by the names of `workbench.stats.groups`. */
const TAKEN = {
  selection_rate: ({ n, taken }) => [taken, n],
  ppv: ({ taken, both }) => [both, taken],
  tpr: ({ yes, both }) => [both, yes],
  fpr: ({ n, taken, yes, both }) => [taken - both, n - yes],
  accuracy: ({ n, taken, yes, both }) => [n - yes - taken + 2 * both, n],
};

const shareOf = ([hits, rows]) => (rows ? hits / rows : NaN);

/** The rates of all rows, of each code, and the largest minus the smallest of the codes that define it (NaN where fewer than two do). */
function takenRates(counts, bins, names) {
  const at = code => Object.fromEntries(Object.entries(counts).map(([key, values]) => [key, values[code]]));
  const all = Object.fromEntries(Object.entries(counts).map(([key, values]) => [key, total(values)]));
  const groups = Array.from({ length: bins }, (_, code) => at(code));
  return { n: all.n, rates: names.map(name => shareOf(TAKEN[name](all))), groups: groups.map(one => ({ n: one.n, rates: names.map(name => shareOf(TAKEN[name](one))) })),
    gaps: names.map(name => {
      const known = groups.map(one => shareOf(TAKEN[name](one))).filter(Number.isFinite);
      return known.length > 1 ? Math.max(...known) - Math.min(...known) : NaN;
    }) };
}
