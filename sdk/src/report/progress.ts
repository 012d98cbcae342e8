/** A training run's progress as one line of text. */
import stringWidth from "string-width";
import { duration, number } from "./numbers.js";

/** How far a run is. */
export interface Progress {
  /** What is running, for instance `rank 16`. */
  label: string;
  /** Steps taken. */
  step: number;
  /** Steps in all. */
  steps: number;
  /** The loss that is optimised, in nats. */
  loss?: number | undefined;
  /** Tokens computed for each second. */
  tokensPerSecond?: number | undefined;
  /** Since the run started. */
  seconds?: number | undefined;
  /** Steps that were taken before those seconds. Default: 0. */
  from?: number | undefined;
  /** Writes a count of steps, such as `bytes`. Default: plain digits. */
  form?: ((count: number) => string) | undefined;
}

const GAP = "  ";
const BAR_WIDTH = 24;
const LEAST_BAR_WIDTH = 4;
const LEAST_LABEL_WIDTH = 6;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/**
 * `rank 16  ███████▌      120/400  loss 1.23  5,310 tokens/s  0:22 of 1:13`. In few columns the bar is shorter, and then goes; the label
 * is cut after that, the figures never.
 */
export function progressLine(progress: Progress, columns = Number.POSITIVE_INFINITY): string {
  const { label, step, steps } = progress;
  const share = steps > 0 ? Math.min(1, step / steps) : 1;
  const figures = figuresOf(progress);
  const room = columns - figures.length - GAP.length;
  const barWidth = Math.min(BAR_WIDTH, room - GAP.length - stringWidth(label));
  if (barWidth >= LEAST_BAR_WIDTH) return [label, bar(share, barWidth), figures].join(GAP);
  return [cut(label, Math.max(room, LEAST_LABEL_WIDTH)), figures].join(GAP);
}

function figuresOf(progress: Progress): string {
  const { step, steps, loss, tokensPerSecond, seconds, from = 0, form } = progress;
  const parts = [
    form ? `${form(step)} of ${form(steps)}` : `${String(step).padStart(String(steps).length)}/${steps}`,
  ];
  if (loss !== undefined) parts.push(`loss ${number(loss)}`);
  if (tokensPerSecond !== undefined) parts.push(`${number(Math.round(tokensPerSecond))} tokens/s`);
  if (seconds !== undefined)
    parts.push(step > from ? `${duration(seconds)} of ${duration(wholeOf(seconds, progress))}` : "");
  return parts.join(GAP).trimEnd();
}

/** How long all of it takes at the pace so far. */
function wholeOf(seconds: number, { step, steps, from = 0 }: Progress): number {
  return (seconds * Math.max(0, steps - from)) / (step - from);
}

function cut(label: string, columns: number): string {
  if (stringWidth(label) <= columns) return label;
  let kept = [...label];
  while (stringWidth(kept.join("")) > columns - 1) kept = kept.slice(0, -1);
  return `${kept.join("")}…`;
}

/** A bar of `width` characters, filled to eighths of one; that of cli-progress knows whole ones alone. */
export function bar(share: number, width = BAR_WIDTH): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const filled = "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
  return filled + "·".repeat(width - [...filled].length);
}
