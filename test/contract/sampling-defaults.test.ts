import { join } from "node:path";
import { policies } from "lad";
import { expect, it } from "vitest";
import { SamplingSpec } from "../../sdk/src/gen/lad/v1/sampling.js";
import { type Policy, policyDefinition } from "../../sdk/src/method/policy.js";
import { checkSpec, specFields } from "../../sdk/src/options/sampling.js";
import { toSampling } from "../../sdk/src/wire/sampling.js";
import { root } from "../architecture/imports.js";

/** A run under a policy with nothing else given, but for what depends on the adapter and on the prompt. */
function defaults(kind: keyof typeof policies): unknown {
  const spec = checkSpec(specFields.parse({ policy: kind }), {}, true, () => {});
  const policy = (policyDefinition(kind).settle?.(spec.policy, undefined, "full") ?? spec.policy) as Policy;
  const settled = { attention: "full", context: "prompt", canvasTokens: 0, padTokens: [] } as const;
  const size = { answerTokens: 0, windowTokens: 0 };
  return SamplingSpec.toJSON(toSampling({ ...spec, ...settled, ...size, policy, frames: false }));
}

it("gives lm-eval's model the SDK's defaults of every policy", async () => {
  const kinds = Object.keys(policies) as (keyof typeof policies)[];
  const all = Object.fromEntries(kinds.filter((kind) => kind !== "ar").map((kind) => [kind, defaults(kind)]));
  const ar = SamplingSpec.toJSON({ ...SamplingSpec.fromJSON(all.refine), policy: { kind: { $case: "ar", value: {} } } });
  const text = `${JSON.stringify({ ...all, ar }, null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(join(root, "runtime/lad_lm_eval/sampling_defaults.json"));
});
