/** A lane's run as lines: each iteration with the texts of its tokens, then the answer. */
import type { Base, Frame, Model } from "../index.js";
import type { SampleLine, SampleRequest, ShownFrame } from "./messages.js";

/**
 * Answers a question, or goes on from a state. Ends when `signal` is aborted, the run too.
 *
 * @throws LadError as the sampling does
 */
export async function* sampled(
  base: Base,
  model: Model,
  { model: _, question, ...options }: SampleRequest,
  signal: AbortSignal,
): AsyncGenerator<SampleLine> {
  const began = performance.now();
  const ms = () => Math.round(performance.now() - began);
  const run = model.sample({ ...options, messages: question, signal });
  for await (const frame of run) yield await shown(base, frame, ms());
  const { type, text, ids, iterations, stopped, speculation } = await run.result();
  yield { type, text, iterations, stopped, speculation, tokens: ids.length, ms: ms() };
}

async function shown(base: Base, frame: Frame, ms: number): Promise<ShownFrame> {
  const { canvas: _, gaps: __, ...rest } = frame;
  const { drafted, accepted } = frame.speculation ?? { drafted: [], accepted: 0 };
  const pieces = await base.pieces(frame.answer);
  const refused = drafted.length > accepted ? await base.pieces(drafted.slice(accepted)) : [];
  return { ...rest, pieces, refused, ms };
}
