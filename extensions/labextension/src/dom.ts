// Small helpers to build elements. Text goes in as textContent, always: it may come from a data set or a model.

const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;
const READ = new Set(['title', 'aria-label']);

/** Text whose characters cannot reorder the words beside it: those that turn the direction of writing are written out. */
export const legible = (text: unknown): string => String(text).replace(TURNS, mark => `\\u${mark.charCodeAt(0).toString(16)}`);

export type Options = { [name: string]: unknown };

/** An element with attributes, properties (`on...` are listeners, `text` is textContent) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: Options = {},
  children: (Node | null)[] = []
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (name === 'text') {
      made.textContent = legible(value);
    } else if (name.startsWith('on')) {
      made.addEventListener(name.slice(2), value as EventListener);
    } else {
      made.setAttribute(name, value === true ? '' : READ.has(name) ? legible(value) : String(value));
    }
  }
  made.append(...children.filter((child): child is Node => child !== null));
  return made;
}

/** Bytes as "1.2 GiB". */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  while (bytes >= 1024 && at < units.length - 1) {
    bytes /= 1024;
    at++;
  }
  return `${bytes >= 100 || at === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[at]}`;
}

/** Seconds as "42 s", "3 min 5 s", "2 h 10 min". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) {
    return `${s} s`;
  }
  if (s < 3600) {
    return `${Math.floor(s / 60)} min ${s % 60} s`;
  }
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
