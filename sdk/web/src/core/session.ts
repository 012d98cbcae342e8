/** A session as a link or a file: what was asked, and each edit with its place, from which all tokens follow. */
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

/** All that a session's tokens depend on, beside the models' weights. */
export interface Session {
  readonly version: 1;
  readonly asked: Asked;
  readonly lanes: readonly LaneSession[];
}

/** The most lanes that are shown side by side. */
export const MOST_LANES = 3;

/** The part of a link behind `#session=`. */
export function toLink(session: Session): string {
  const bytes = new TextEncoder().encode(JSON.stringify(session));
  const letters = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return letters.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @throws Error for what is no session */
export function fromLink(link: string): Session {
  const letters = atob(link.replaceAll("-", "+").replaceAll("_", "/"));
  return fromText(new TextDecoder().decode(Uint8Array.from(letters, (letter) => letter.charCodeAt(0))));
}

/** @throws Error for what is no session */
export function fromText(text: string): Session {
  const value = JSON.parse(text) as Partial<Session> | null;
  const isLane = (lane: Partial<LaneSession>) =>
    typeof lane?.model === "string" && typeof lane.policy?.kind === "string" && Array.isArray(lane.edits);
  const isSession =
    value?.version === 1 &&
    typeof value.asked?.question === "string" &&
    Number.isSafeInteger(value.asked.seed) &&
    Array.isArray(value.lanes) &&
    value.lanes.length >= 1 &&
    value.lanes.length <= MOST_LANES &&
    value.lanes.every(isLane);
  if (!isSession) throw new Error("This is no session of the demo.");
  return value as Session;
}
