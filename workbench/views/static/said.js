// How far a run is, in words: the same in the monitor, the list of runs and the launcher.

const STATUS = { starting: "Loading the model", running: "", done: "Done", cancelled: "Cancelled", unfinished: "Stopped", failed: "Failed", "not applicable": "Not applicable" };

const isGoing = status => status === "running" || status === "starting";

/** Seconds as "42 s", "3 min 5 s", "2 h 10 min". */
function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** "Cancelled: 120 of 2,536 requests". */
function runCount(state) {
  const word = STATUS[state.status] ?? state.status;
  if (!state.total) return word || "Preparing";
  return `${word ? `${word}: ` : ""}${whole.format(state.done)} of ${whole.format(state.total)} ${state.unit}`;
}

/** Rate, time left, what came from the cache, memory. */
function runFacts(state) {
  const parts = [], running = state.status === "running";
  if (state.rate > 0 && running) parts.push(`${state.rate >= 10 ? Math.round(state.rate) : state.rate.toFixed(1)} ${state.unit} per second`);
  if (state.left !== null && running) parts.push(`about ${duration(state.left)} left`);
  if (!isGoing(state.status) && state.total) parts.push(`in ${duration(state.seconds)}`);
  if (state.cached > 0) parts.push(`${whole.format(state.cached)} from the cache`);
  if (state.memory > 0) parts.push(`${(state.memory / 2 ** 30).toFixed(2)} GiB on the device`);
  return parts.join(" · ");
}
