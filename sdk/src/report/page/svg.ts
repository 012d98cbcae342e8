/** Takes over a drawing from a document of linkedom. */
import { type Node, tag } from "./node.js";

/** What is used of a node of any document. */
export interface DrawnNode {
  readonly nodeType: number;
  readonly localName?: string;
  readonly textContent: string | null;
  readonly childNodes: Iterable<DrawnNode>;
  readonly attributes?: Iterable<{ readonly name: string; readonly value: string }>;
}

const ELEMENT = 1;
const TEXT = 3;
/** The page's policy allows no styles in attributes, its own styles stand for Plot's, and a drawing is one image to a reader. */
const LEFT_OUT = /^(style|class|xmlns.*|aria-.*|role)$/;

/** The drawing as a node whose outermost element has the given attributes in addition. */
export function takenOver(drawn: DrawnNode, attributes: Readonly<Record<string, string | undefined>>): Node {
  const { name, attributes: own, children } = elementOf(drawn);
  return tag(name, { ...own, ...attributes }, children);
}

function elementOf(drawn: DrawnNode) {
  const kept = [...(drawn.attributes ?? [])].filter(({ name }) => !LEFT_OUT.test(name));
  return {
    name: drawn.localName ?? "",
    attributes: Object.fromEntries(kept.map(({ name, value }) => [name, value])),
    children: [...drawn.childNodes].flatMap(nodeOf),
  };
}

function nodeOf(drawn: DrawnNode): Node[] {
  if (drawn.nodeType === TEXT) return [drawn.textContent ?? ""];
  if (drawn.nodeType !== ELEMENT || drawn.localName === "style" || drawn.localName === "script") return [];
  const { name, attributes, children } = elementOf(drawn);
  return [tag(name, attributes, children)];
}
