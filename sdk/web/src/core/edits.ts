/** What a user does to an answer, as a function of its state. */
import type { SamplingState } from "../../../src/index.js";
import type { Facts } from "./cells.js";

/** An edit of the positions from `from` up to, without, `to`. */
export type Edit =
  /** They stay as they are, or no longer. */
  | { readonly kind: "pin"; readonly from: number; readonly to: number; readonly on: boolean }
  /** Other tokens stand there, and stay. */
  | {
      readonly kind: "write";
      readonly from: number;
      readonly to: number;
      readonly ids: readonly number[];
      /** Their texts. */
      readonly pieces: readonly string[];
    }
  /** They are written again, while all else stays. */
  | { readonly kind: "again"; readonly from: number; readonly to: number; readonly tokens: number }
  /** All that is not pinned is denoised again. */
  | { readonly kind: "on" }
  /** A text of the user's is the whole answer, and all of it may change. */
  | {
      readonly kind: "draft";
      readonly ids: readonly number[];
      /** Their texts. */
      readonly pieces: readonly string[];
    };

/** A state with the user's own pins, which are not all of the state's where a span is written again. */
export interface Pinned {
  readonly state: SamplingState;
  readonly pins: readonly boolean[];
  /** What the last forward sampled: what stands at masked positions once they are pinned. */
  readonly sampled: readonly number[];
}

/** What an edit leads to. */
export interface Edited extends Omit<Pinned, "sampled"> {
  /** Whether forwards follow. */
  readonly goesOn: boolean;
  /** Where in its schedule the policy begins again; undefined: it goes on where it was. */
  readonly strength?: number | undefined;
}

type Known = Facts & { readonly eosTokenId: number };

/** Where a schedule begins again around what the user has pinned. */
const HALF = 0.5;

/** The state after an edit. */
export function edited(before: Pinned, edit: Edit, facts: Known): Edited {
  switch (edit.kind) {
    case "pin":
      return pinned(before, edit);
    case "write": {
      const { state, pins } = spliced(before, edit, { ids: edit.ids, masked: false }, facts);
      if (before.state.stopped === undefined) return { state, pins, goesOn: true };
      return { state: afresh({ ...state, pinned: pins }), pins, goesOn: true, strength: HALF };
    }
    case "again": {
      const ids = Array<number>(edit.tokens).fill(facts.maskTokenId);
      const { state, pins } = spliced(before, edit, { ids, masked: true }, facts);
      const held = state.masked.map((is) => !is);
      return { state: afresh({ ...state, pinned: held }), pins, goesOn: true, strength: 1 };
    }
    case "on": {
      const state = { ...before.state, pinned: before.pins };
      return { state: afresh(state), pins: before.pins, goesOn: true, strength: HALF };
    }
    case "draft": {
      const state = drafted(before.state, edit.ids, facts);
      return { state, pins: state.pinned, goesOn: true, strength: HALF };
    }
  }
}

/** How many tokens a draft may have in the place of this answer: as many as the canvas in hand. */
export function roomOf({ ids, finished }: SamplingState): number {
  return ids.length - finished;
}

/** Of a span that is pinned: what was sampled at its masked positions is what stands there from now on. */
function pinned({ state, pins, sampled }: Pinned, { from, to, on }: Edit & { kind: "pin" }): Edited {
  const isIn = (p: number) => p >= from && p < to;
  const isFilled = (p: number) => on && isIn(p) && state.masked[p] === true;
  const next = {
    ...state,
    ids: state.ids.map((id, p) => (isFilled(p) ? (sampled[p] ?? id) : id)),
    masked: state.masked.map((is, p) => is && !isFilled(p)),
    confidences: state.confidences.map((confidence, p) => (isFilled(p) ? 1 : confidence)),
    pinned: state.pinned.map((is, p) => (isIn(p) ? on : is)),
  };
  const after = pins.map((is, p) => (isIn(p) ? on : is));
  return { state: next, pins: after, goesOn: state.stopped === undefined };
}

/** Puts tokens in the place of others. The answer keeps its length: its tail gives or takes the difference. */
function spliced(
  { state, pins }: Pinned,
  { from, to }: { readonly from: number; readonly to: number },
  { ids, masked }: { readonly ids: readonly number[]; readonly masked: boolean },
  { eosTokenId }: Known,
) {
  const length = state.ids.length;
  const put = <T>(values: readonly T[], value: (index: number) => T, end: T): T[] => {
    const made = [...values.slice(0, from), ...ids.map((_, i) => value(i)), ...values.slice(to)];
    return [...made, ...Array<T>(Math.max(0, length - made.length)).fill(end)].slice(0, length);
  };
  const isTailMasked = state.masked.at(-1) === true;
  return {
    pins: put(pins, () => !masked, false),
    state: {
      ...state,
      ids: put(state.ids, (i) => ids[i] as number, isTailMasked ? (state.ids.at(-1) as number) : eosTokenId),
      masked: put(state.masked, () => masked, isTailMasked),
      kept: put(state.kept, () => false, false),
      confidences: put(state.confidences, () => (masked ? 0 : 1), isTailMasked ? 0 : 1),
      pinned: put(state.pinned, () => !masked, false),
      memory: [],
      sampled: [],
      same: 0,
    },
  };
}

/** What a run begins from that is asked with the draft: MASK is what it leaves of the answer. */
function drafted(state: SamplingState, ids: readonly number[], { maskTokenId }: Known): SamplingState {
  const rest = Math.max(0, roomOf(state) - ids.length);
  const each = <T>(written: T, open: T): T[] => [...ids.map(() => written), ...Array<T>(rest).fill(open)];
  return afresh({
    ...state,
    ids: [...ids, ...Array<number>(rest).fill(maskTokenId)],
    masked: each(false, true),
    kept: each(false, false),
    confidences: each(1, 0),
    pinned: each(false, false),
    finished: 0,
    finishedIterations: 0,
  });
}

/** As before the first iteration. */
function afresh(state: SamplingState): SamplingState {
  const { stopped: _, ...rest } = state;
  return { ...rest, iteration: 0, same: 0, sampled: [], memory: [], kept: state.kept.map(() => false) };
}
