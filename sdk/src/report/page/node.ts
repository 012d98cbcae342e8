/** Elements as values, and their HTML. Texts and attributes are escaped here and nowhere else. */

/** An element, or a text. */
export type Node = Tag | string;

/** An element. */
export interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Node[];
}

/** What an attribute may be: `true` is one without a value; undefined and false leave it out. */
type Attribute = string | number | boolean | undefined;

/** An element; absent children are left out. */
export function tag(
  name: string,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly (Node | readonly (Node | undefined)[] | undefined)[]
): Tag {
  const given = Object.entries(attributes).flatMap(([key, value]): [string, string][] =>
    value === undefined || value === false ? [] : [[key, value === true ? "" : String(value)]],
  );
  return {
    name,
    attributes: Object.fromEntries(given),
    children: children.flat().filter((child) => child !== undefined),
  };
}

const VOID: ReadonlySet<string> = new Set(["meta", "link", "input", "br"]);
/** Elements whose text HTML takes as it is. */
const RAW: ReadonlySet<string> = new Set(["script", "style"]);

/** A node as HTML. */
export function htmlOf(node: Node): string {
  if (typeof node === "string") return escaped(node);
  const { name, attributes, children } = node;
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  const start = `<${name}${given.join("")}>`;
  if (VOID.has(name)) return start;
  return `${start}${children.map(RAW.has(name) ? rawText : htmlOf).join("")}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
/** Characters that HTML forbids, and those that turn the direction of what follows them. */
const UNSEEN = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string).replace(UNSEEN, "\ufffd");
}

/** Scripts and styles are the page's own; data within them is written without `<`. */
function rawText(node: Node): string {
  if (typeof node !== "string" || /<\/|<!--/.test(node)) throw new Error("A script cannot hold this text.");
  return node;
}
