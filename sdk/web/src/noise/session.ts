/** A session of the noise lab: the sentence, how it is corrupted, and who repaired it; all else follows from that. */
import type { NoiseLevels } from "../../../src/demo/messages.js";
import { isLane, type LaneSession, MOST_LANES } from "../core/session.js";
import { KINDS } from "./kinds.js";

export interface NoiseSession {
  readonly version: 1;
  readonly text: string;
  readonly question: string;
  readonly levels: NoiseLevels;
  readonly seed: number;
  /** Whether the lanes have repaired the draw. */
  readonly isRepaired: boolean;
  readonly lanes: readonly LaneSession[];
}

/** @throws Error for what is no session of the noise lab */
export function noiseSession(json: string): NoiseSession {
  const value = JSON.parse(json) as Partial<NoiseSession> | null;
  const isSession =
    value?.version === 1 &&
    typeof value.text === "string" &&
    typeof value.question === "string" &&
    KINDS.every(([kind]) => Number.isFinite(value.levels?.[kind])) &&
    Number.isSafeInteger(value.seed) &&
    Array.isArray(value.lanes) &&
    value.lanes.length >= 1 &&
    value.lanes.length <= MOST_LANES &&
    value.lanes.every(isLane);
  if (!isSession) throw new Error("This is no session of the noise lab.");
  return value as NoiseSession;
}
