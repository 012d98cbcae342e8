/** Places labels beside points, so that none covers another label or a point. */
import stringWidth from "string-width";
import { visible } from "../denoising.js";
import type { Drawing, Scale } from "./scales.js";

/** A label and the point that it belongs to, in the chart's own numbers. */
export interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** Where a label stands: its distance from the point in pixels, and which of its ends is there. */
export interface PlacedLabel extends Label {
  readonly dx: number;
  readonly dy: number;
  readonly anchor: "start" | "middle" | "end";
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const CHARACTER_WIDTH = 6.4;
const LINE_HEIGHT = 14;
const POINT_RADIUS = 5;
/** A longer label is cut; its point's number and the table tell the rest. */
const MOST_CHARACTERS = 28;
const PLACES = [
  { dx: 9, dy: 0, anchor: "start" },
  { dx: -9, dy: 0, anchor: "end" },
  { dx: 0, dy: -13, anchor: "middle" },
  { dx: 0, dy: 13, anchor: "middle" },
  { dx: 7, dy: -11, anchor: "start" },
  { dx: 7, dy: 11, anchor: "start" },
  { dx: -7, dy: -11, anchor: "end" },
  { dx: -7, dy: 11, anchor: "end" },
] as const;

/** Each label at the first free place around its point; where there is none, the point's number, from 1, stands to its right. */
export function placeLabels(labels: readonly Label[], { scales, size }: Drawing): PlacedLabel[] {
  const { x, y, marginLeft, marginRight, marginTop, marginBottom } = scales;
  const frame: Box = {
    left: marginLeft,
    right: size.width - marginRight / 4,
    top: marginTop / 2,
    bottom: size.height - marginBottom,
  };
  const known = labels.filter((label) => Number.isFinite(label.x) && Number.isFinite(label.y));
  const at = (label: Label) => ({
    px: pixel(x, label.x, marginLeft, size.width - marginRight),
    py: pixel(y, label.y, size.height - marginBottom, marginTop),
  });
  const taken: Box[] = known.map((label) => {
    const { px, py } = at(label);
    return {
      left: px - POINT_RADIUS,
      right: px + POINT_RADIUS,
      top: py - POINT_RADIUS,
      bottom: py + POINT_RADIUS,
    };
  });
  return known.map((label) => {
    const { px, py } = at(label);
    for (const text of [shortened(label.text), String(labels.indexOf(label) + 1)]) {
      for (const place of PLACES) {
        const box = boxOf(text, px + place.dx, py + place.dy, place.anchor);
        if (!isWithin(box, frame) || taken.some((other) => overlap(box, other))) continue;
        taken.push(box);
        return { ...label, text, ...place };
      }
    }
    return { ...label, text: String(labels.indexOf(label) + 1), ...PLACES[0] };
  });
}

function shortened(text: string): string {
  const characters = [...visible(text)];
  return characters.length <= MOST_CHARACTERS
    ? characters.join("")
    : `${characters.slice(0, MOST_CHARACTERS - 1).join("")}…`;
}

/** Where a number lies between two pixels. */
function pixel({ type, domain }: Scale, value: number, from: number, to: number): number {
  const scaled = (number: number) => (type === "log" ? Math.log(number) : number);
  const [low, high] = domain.map((end) => scaled(Number(end))) as [number, number];
  return from + ((scaled(value) - low) / (high - low)) * (to - from);
}

function boxOf(text: string, x: number, y: number, anchor: PlacedLabel["anchor"]): Box {
  const width = stringWidth(text) * CHARACTER_WIDTH;
  const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
  return { left, right: left + width, top: y - LINE_HEIGHT / 2, bottom: y + LINE_HEIGHT / 2 };
}

function isWithin(inner: Box, outer: Box): boolean {
  return (
    inner.left >= outer.left &&
    inner.right <= outer.right &&
    inner.top >= outer.top &&
    inner.bottom <= outer.bottom
  );
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
