/** A session as a link or a file has it: what was asked, and each edit with its place, from which all tokens follow. */
import type { PolicyInput } from "../../../src/index.js";
import type { Edit } from "./edits.js";

/** An edit, and the number of the iteration on display that it was made in. */
export interface PlacedEdit {
  readonly at: number;
  readonly edit: Edit;
}

/** How a policy is set: its kind, and those of its options that are not the defaults. */
export type PolicyValues = Extract<PolicyInput, object>;

/** A lane of a session. */
export interface LaneSession {
  readonly model: string;
  readonly policy: PolicyValues;
  readonly edits: readonly PlacedEdit[];
}

/** What is the same for all lanes. */
export interface Asked {
  readonly question: string;
  readonly seed: number;
  readonly answerTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly draft?: string | undefined;
  /** Where in its schedule a policy begins with the draft. */
  readonly strength?: number | undefined;
}

/** A question, and who answered it how. */
export interface TurnSession {
  readonly asked: Asked;
  readonly lanes: readonly LaneSession[];
}

/** All that a session's tokens depend on, beside the models' weights. */
export interface Session {
  readonly version: 1;
  /** What was asked, one after another: at least one. */
  readonly turns: readonly TurnSession[];
  /** The number of the turn on display. */
  readonly shown: number;
}

/** The most lanes that are shown side by side. */
export const MOST_LANES = 3;
/** The most turns that a session has: of more, the first ones are forgotten. */
export const MOST_TURNS = 20;

/**
 * A session of its JSON.
 *
 * @throws Error for what is no session
 */
export function sessionOf(json: string): Session {
  const value = JSON.parse(json) as Partial<Session> | null;
  const isSession =
    value?.version === 1 &&
    Array.isArray(value.turns) &&
    value.turns.length >= 1 &&
    value.turns.length <= MOST_TURNS &&
    value.turns.every(isTurn) &&
    Number.isSafeInteger(value.shown) &&
    value.turns[value.shown as number] !== undefined;
  if (!isSession) throw new Error("This is no session of the demo.");
  return value as Session;
}

function isTurn({ asked, lanes }: Partial<TurnSession>): boolean {
  return (
    typeof asked?.question === "string" &&
    Number.isSafeInteger(asked.seed) &&
    Array.isArray(lanes) &&
    lanes.length >= 1 &&
    lanes.length <= MOST_LANES &&
    lanes.every(isLane)
  );
}

/** Whether it is a lane of a session. */
export function isLane(lane: Partial<LaneSession> | null): boolean {
  return (
    typeof lane?.model === "string" && typeof lane.policy?.kind === "string" && Array.isArray(lane.edits)
  );
}
