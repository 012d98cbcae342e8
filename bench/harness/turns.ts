/** Runs the sides alternately, so that whatever else the machine does meets all of them alike. */
import type { Measurement, Role, Side } from "./side.js";

/** The sides by role, in the order in which they run. */
export type Sides = Readonly<Partial<Record<Role, Side>> & { ours: Side }>;

/** One run of every side, one after another. */
export type Round = Readonly<Partial<Record<Role, Measurement>> & { ours: Measurement }>;

export interface Turns {
  readonly runs: number;
  /** Rounds before those that count: the first runs pay for fresh memory and caches. */
  readonly warmups: number;
  /** What every side is asked to run, beside `turn`: the round's number, from 0, those of the warm-up counted. */
  readonly request?: object;
  /** Is shown every round, those of the warm-up too. Throws where the sides did not compute the same. */
  readonly check?: (round: Round) => void;
  readonly say: (text: string) => void;
}

/** The rounds that count. */
export async function takeTurns(
  sides: Sides,
  { runs, warmups, request, check, say }: Turns,
): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let turn = -warmups; turn < runs; turn++) {
    const round = await runAll(sides, { turn: turn + warmups, ...request });
    check?.(round);
    const times = Object.entries(round).map(([role, { seconds }]) => `${role} ${seconds.toFixed(3)} s`);
    say(`${turn < 0 ? "warm-up" : `run ${turn + 1} of ${runs}`}: ${times.join(", ")}`);
    if (turn >= 0) rounds.push(round);
  }
  return rounds;
}

async function runAll(sides: Sides, request: object): Promise<Round> {
  const measured: Partial<Record<Role, Measurement>> = {};
  for (const role of Object.keys(sides) as Role[]) {
    const side = sides[role];
    if (side !== undefined) measured[role] = await side.run(request);
  }
  return measured as Round;
}
