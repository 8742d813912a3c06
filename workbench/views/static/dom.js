// Small helpers to build elements. Text goes in as textContent, always: it may come from a data set or a model.

const TURNS = /[\u202a-\u202e\u2066\u2067]/g, APART = /\u2068([^\u2068\u2069]*)\u2069|[\u2068\u2069]/g;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]|[\ud802\ud803\ud83a\ud83b]/;
const READ = new Set(["title", "aria-label", "label", "placeholder", "alt"]);      // attributes that people read

const written = mark => `\\u${mark.charCodeAt(0).toString(16)}`;

/** Text whose characters cannot reorder the words beside it: those that turn the direction of writing are written out; what `apart` made stays. */
const legible = text => String(text).replace(TURNS, written).replace(APART, (found, inside) => (inside === undefined ? written(found) : found));

/** A name from data, to stand within a sentence of ours: one that is written from right to left takes no number or mark beside it along. */
const apart = name => (RIGHT_TO_LEFT.test(name) ? `\u2068${String(name).replace(/[\u2068\u2069]/g, written)}\u2069` : String(name));

const SVG_TAGS = new Set(["svg", "path", "circle", "g", "text"]);

/** An element with attributes, properties (`on...` are listeners, `text` is textContent) and children. */
function element(tag, options = {}, children = []) {
  const made = SVG_TAGS.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = legible(value);
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(made.style, value);
    else made.setAttribute(name, value === true ? "" : READ.has(name) ? legible(value) : String(value));
  }
  made.append(...children.filter(child => child !== null));
  return made;
}

/** Options of an element that takes keys itself: JupyterLab, in command mode, would else take its arrow keys first. */
const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };

const div = (name, children = [], options = {}) => element("div", { class: name, ...options }, children);
const span = (name, text, options = {}) => element("span", { class: name, text, ...options });

const whole = new Intl.NumberFormat("en-GB");

/** A share as a percentage, or a dash. */
const percent = share => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "–");

/** A number of at most six digits, as an input takes it. */
const plain = number => String(Number(number.toPrecision(6)));

/** The same for people, with a minus sign. */
const signed = number => plain(number).replace("-", "−");

/** A panel: heading, content, and the sentence that says how to read it. */
function panel(title, content, { caption = "", name = "", tools = [] } = {}) {
  const heading = element("h3", { text: title, class: "wb-title" });
  return element("section", { class: `wb-panel ${name}`, "aria-label": title }, [
    div("wb-head", [heading, ...tools]), ...content, caption ? element("p", { class: "wb-caption", text: caption }) : null,
  ]);
}
