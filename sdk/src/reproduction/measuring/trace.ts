/** One answer, iteration by iteration. */
import { traceOf } from "../../report/parts/trace.js";
import type { Traced } from "../measured.js";
import { policyName, type TracePiece } from "../pieces.js";
import type { Lab } from "./lab.js";
import type { Computing } from "./training.js";

export async function trace(
  lab: Lab,
  { variant, policy }: TracePiece,
  { signal }: Computing,
): Promise<Traced> {
  const base = await lab.base(variant.base);
  const adapter = await lab.adapter(variant, signal);
  const [question = { ids: [], reference: "" }] = await lab.questions(base, "easy");
  const frames = adapter.sample({ ids: question.ids, policy, signal });
  const prompt = await base.decode(question.ids);
  return {
    trace: await traceOf({
      title: `${variant.name}, ${policyName(policy)} iterations`,
      prompt,
      frames,
      base,
    }),
  };
}
