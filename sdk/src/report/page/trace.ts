/** A trace that is played, iteration by iteration; without scripts its last iteration stands still. */
import { type Cell, visible } from "../denoising.js";
import type { TraceFrame, TracePart } from "../parts/trace.js";
import { type Node, tag } from "./node.js";

const MASK = "░░";

/** What each state is called in the legend; those of a trace are shown, in this order. */
const STATES: readonly (readonly [Cell["state"], string])[] = [
  ["masked", "masked next"],
  ["changed", "changed"],
  ["same", "as before"],
  ["accepted", "drafted, accepted"],
  ["own", "the base's own"],
  ["refused", "drafted, refused"],
  ["drafted", "drafted, undecided"],
];

/** @param id - unique in the page */
export function traceNode({ title, prompt, frames }: TracePart, id: string): Node {
  const last = frames.at(-1) as TraceFrame; // a trace has a frame
  const slider = {
    type: "range",
    min: 0,
    max: frames.length - 1,
    value: frames.length - 1,
    step: 1,
    "aria-label": `Iteration of ${title}`,
    "aria-valuetext": `iteration ${last.iteration}`,
  };
  return tag(
    "figure",
    { class: "trace", "aria-labelledby": id },
    tag("figcaption", {}, tag("h3", { id }, title)),
    prompt === undefined
      ? undefined
      : tag("p", { class: "prompt" }, tag("span", { class: "note" }, "Asked: "), visible(prompt)),
    tag(
      "div",
      { class: "player", hidden: true },
      tag("button", { type: "button", class: "button play", "aria-describedby": id }, "Play"),
      tag("input", slider),
      tag("output", {}, `${last.iteration} of ${last.iteration}`),
    ),
    tag("p", { class: "canvas" }, last.cells.map(cellNode)),
    legend(frames),
    tag("script", { type: "application/json", class: "frames" }, dataOf(frames)),
    everyIteration(frames),
  );
}

function cellNode({ text, state }: Cell): Node {
  return tag("span", { class: `cell ${state}` }, state === "masked" ? MASK : visible(text));
}

function legend(frames: readonly TraceFrame[]): Node {
  const used = new Set(frames.flatMap(({ cells }) => cells.map(({ state }) => state)));
  const entries = STATES.filter(([state]) => used.has(state)).map(([state, name]) =>
    tag("li", {}, tag("span", { class: `cell ${state}` }, state === "masked" ? MASK : "token"), ` ${name}`),
  );
  return tag("ul", { class: "legend" }, entries);
}

/** Iterations as `[iteration, [[text, state], …]]`, without a sign that could end a script. */
function dataOf(frames: readonly TraceFrame[]): string {
  const shown = frames.map(({ iteration, cells }) => [
    iteration,
    cells.map(({ text, state }) => [state === "masked" ? MASK : visible(text), state]),
  ]);
  return JSON.stringify(shown).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** All iterations as text, for whoever reads rather than watches. */
function everyIteration(frames: readonly TraceFrame[]): Node {
  const items = frames.map(({ iteration, cells }) => tag("li", { value: iteration }, cells.map(cellNode)));
  return tag(
    "details",
    {},
    tag("summary", {}, "Every iteration as text"),
    tag("ol", { class: "iterations" }, items),
  );
}
