/** A side's conversation with the harness, where the side is the SDK: one JSON object a line, as sides/serve.py has it. */
import { createInterface } from "node:readline";
import { LadError } from "../../sdk/src/errors.js";
import type { Measurement } from "../harness/side.js";

export interface SdkSide {
  /** Everything that is not timed; what the other side and the harness need to know of it. */
  load(request: object): Promise<object>;
  /** Takes the inputs that every run computes with. */
  prepare(inputs: object): Promise<void>;
  /** One timed unit. */
  run(request: object): Promise<Measurement>;
  /** Ends what the side has started. */
  close(): Promise<void>;
}

/** Answers `load`, `prepare` and `run` until standard input ends. */
export async function serve(side: SdkSide): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(side, JSON.parse(line) as { do: string })));
  }
  await side.close();
}

async function answer(side: SdkSide, { do: action, ...request }: { do: string }): Promise<object> {
  try {
    if (action === "load") return { ok: await side.load(request) };
    if (action === "run") return { ok: await side.run(request) };
    await side.prepare(request);
    return { ok: {} };
  } catch (error) {
    if (error instanceof LadError) return { refused: { code: error.code, message: error.message } };
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Seconds since `start`, which is of `performance.now()`. */
export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
