import { describe, expect, it } from "vitest";
import { policies, refine, remask, speculative } from "../../../sdk/src/method/policies/registered.js";
import {
  POLICY_KINDS,
  type Policy,
  type PolicyKind,
  policyDefinition,
} from "../../../sdk/src/method/policy.js";
import { checkEvaluate } from "../../../sdk/src/options/evaluation.js";
import { experimentSchema } from "../../../sdk/src/options/experiment.js";
import { type PolicyInput, policySchema } from "../../../sdk/src/options/sampling/policy.js";
import { checkSample, checkSampleMany, checkTraining, type SampleOptions } from "../../../sdk/src/options.js";
import { camelCase } from "../../../sdk/src/wire/oneofs.js";
import { toPolicy } from "../../../sdk/src/wire.js";

function sampled(options: Omit<SampleOptions, "messages">, adapted = true) {
  const warnings: string[] = [];
  const { spec } = checkSample({ messages: "a", ...options }, adapted, (text) => warnings.push(text));
  return { spec, warnings };
}

/** Whether the policy samples adapters. */
function samplesAdapters(kind: PolicyKind): boolean {
  return kind !== "ar";
}

describe.each(POLICY_KINDS)("the policy %s", (kind) => {
  it("is the same by its name, by its builder and as an object", () => {
    expect(policySchema.parse(kind)).toEqual(policies[kind]());
    expect(policySchema.parse({ kind })).toEqual(policies[kind]());
    expect(sampled({ policy: kind }, samplesAdapters(kind))).toEqual(
      sampled({ policy: policies[kind]() }, samplesAdapters(kind)),
    );
  });

  it("is sent as the case of its name, with its own options alone", () => {
    const policy = (policyDefinition(kind).settle?.(policies[kind](), undefined, "full") ??
      policies[kind]()) as Policy;
    const { kind: name, ...options } = policy;
    const { kind: sent } = toPolicy(policy);
    expect(sent?.$case).toBe(camelCase(name));
    expect(Object.keys(sent?.value ?? {})).toEqual(Object.keys(options));
    for (const [option, value] of Object.entries(sent?.value ?? {})) {
      const given = (options as Record<string, unknown>)[option];
      if (typeof given === "string") expect(value).toBeGreaterThan(0);
      else expect(value).toBe(given);
    }
  });

  it("draws as it says where the caller does not", () => {
    const { drawMethod } = policyDefinition(kind);
    expect(sampled({ policy: kind }, samplesAdapters(kind)).spec.drawMethod).toBe(drawMethod);
    expect(sampled({ policy: kind, drawMethod: "gumbel" }, samplesAdapters(kind)).spec.drawMethod).toBe(
      "gumbel",
    );
  });
});

describe("an option of another policy", () => {
  const owner =
    /There is|there is no such option. It is an option of the policy: policy: remask\({ sharpness: 2 }\)\./;

  it("does not compile, and names the policy that it belongs to", () => {
    // @ts-expect-error
    expect(() => refine({ sharpness: 2 })).toThrow(owner);
    // @ts-expect-error
    const input: PolicyInput = { kind: "refine", sharpness: 2 };
    expect(() => sampled({ policy: input })).toThrow(/^policy\.sharpness is 2: /);
    expect(() => sampled({ policy: input })).toThrow(owner);
    // @ts-expect-error
    expect(() => sampled({ policy: refine(), sharpness: 2 })).toThrow(owner);
  });

  it.each([
    [
      "sampleMany",
      () => checkSampleMany({ canvases: [{ ids: [1] }], sharpness: 2 } as never, true, () => {}),
    ],
    ["evaluate", () => checkEvaluate({ items: [{ ids: [1] }], sharpness: 2 } as never, true, () => {})],
  ])("is refused by %s as well", (_, call) => {
    expect(call).toThrow(owner);
  });

  it("is refused in an experiment", () => {
    const sampling = [{ policy: "remask", sharpness: 2 }];
    const evaluation = { data: { jsonl: "a.jsonl" }, sampling };
    const training = { data: { jsonl: "a.jsonl" }, windowTokens: 8, steps: 1 };
    const result = experimentSchema.safeParse({ base: "stub", adapter: { rank: 1 }, training, evaluation });
    expect(result.error?.issues[0]?.message).toMatch(/policy: remask\({ sharpness: 2 }\)/);
  });

  it("names all that have it", () => {
    const call = () => sampled({ iterations: 4 } as never);
    const owners = POLICY_KINDS.filter((kind) => "iterations" in policies[kind]());
    expect(owners.length).toBeGreaterThan(2);
    for (const kind of owners) expect(call).toThrow(`${policies[kind].name}({ iterations: 4 })`);
  });

  it("is told from one that nobody has", () => {
    expect(() => sampled({ temperatur: 1 } as never)).toThrow("Did you mean temperature?");
    expect(() => refine({ iteration: 1 } as never)).toThrow("Did you mean iterations?");
  });
});

describe("a word of another program's", () => {
  it("is answered with the option that is meant", () => {
    expect(() => sampled({ prompt: "Hi" } as never)).toThrow(
      "prompt is Hi: there is no such option. Did you mean messages?",
    );
    expect(() => sampled({ max_tokens: 8 } as never)).toThrow("Did you mean answerTokens?");
  });

  it("in a prompt of many is answered with where it belongs", () => {
    const many = (canvas: object) => () => checkSampleMany({ canvases: [canvas] } as never, true, () => {});
    expect(many({ question: "Hi" })).toThrow(
      "canvases[0].question is Hi: there is no such option. Did you mean messages?",
    );
    expect(many({ messages: "Hi", temperature: 1 })).toThrow(
      "Give temperature beside canvases: it is of the whole call.",
    );
    expect(many({ messages: "Hi", max_tokens: 1 })).toThrow(
      "Give answerTokens beside canvases: it is of the whole call.",
    );
    expect(many({ messages: "Hi", iterations: 4 })).toThrow("remask({ iterations: 4 })");
    expect(() => checkSampleMany({ messages: "Hi" } as never, true, () => {})).toThrow(
      "canvases: [{ messages }]",
    );
    expect(() => checkSampleMany({ prompts: ["Hi"] } as never, true, () => {})).toThrow(
      "Did you mean canvases?",
    );
  });

  it("in a question is answered with the option that is meant", () => {
    const asked = (item: object) => () => checkEvaluate({ items: [item] } as never, true, () => {});
    expect(asked({ question: "1 + 1", answer: "2" })).toThrow(
      "items[0].question is 1 + 1: there is no such option. Did you mean messages?",
    );
    expect(asked({ messages: "1 + 1", answer: "2" })).toThrow("Did you mean reference?");
    expect(asked({ messages: "1 + 1", temperature: 1 })).toThrow("Give temperature beside items");
  });

  it("in a policy is answered with where it belongs", () => {
    expect(() => refine({ temperature: 1 } as never)).toThrow(
      "It stands beside the policy: sample({ policy, temperature }).",
    );
    expect(() => refine({ sharpness: 1 } as never)).toThrow("remask({ sharpness: 1 })");
  });

  it("in training is answered with the option that is meant", () => {
    expect(() => checkTraining({ data: [], lr: 1 } as never, () => {})).toThrow("Did you mean learningRate?");
  });
});

describe("what was a mode", () => {
  it("is a policy", () => {
    expect(() => sampled({ mode: "refine" } as never)).toThrow(
      'mode is refine: there is no such option. Did you mean policy: "refine"?',
    );
  });
});

describe("a policy without effect of an option", () => {
  it("is told of what another option leaves unused, unless it is the default", () => {
    expect(sampled({ policy: remask({ schedule: "linear", sharpness: 2 }) }).warnings).toEqual([
      "sharpness is ignored: the schedule is linear.",
    ]);
    expect(sampled({ policy: { kind: "remask", minGuidanceWeight: 0.5, clusterSpan: 2 } }).warnings).toEqual([
      "minGuidanceWeight is ignored: positions are random.",
      "clusterSpan is ignored: positions are random.",
    ]);
    expect(sampled({ policy: remask({ schedule: "linear", sharpness: 5 }) }).warnings).toEqual([]);
  });

  it("is told of what self-speculation does not use", () => {
    const options = { policy: "speculative", drawMethod: "gumbel", temperature: 1 } as const;
    expect(sampled(options).warnings).toEqual(["drawMethod is ignored: policy speculative does not use it."]);
  });

  it("has a temperature of its own, if it has, instead of the call's", () => {
    const policy = "entropy-bound";
    expect(sampled({ policy, temperature: 1, topK: 5 }).warnings).toEqual([
      "temperature is ignored: policy entropy-bound has its own (anneal: false leaves it to the call).",
    ]);
    expect(sampled({ policy: { kind: policy, anneal: false }, temperature: 1 }).warnings).toEqual([]);
  });

  it("is told of what is about masks where nothing is denoised", () => {
    const options = { policy: "ar", canvasTokens: 4, attention: "prefix", allowMask: true } as const;
    expect(sampled(options, false).warnings).toEqual([
      "attention is ignored: policy ar does not use it.",
      "canvasTokens is ignored: policy ar does not use it.",
      "allowMask is ignored: policy ar does not use it.",
    ]);
  });
});

describe("self-speculation", () => {
  it("is refused on a base, with what to call instead", () => {
    expect(() => sampled({ policy: "speculative" }, false)).toThrow(
      "policy is speculative: the base alone has no adapter to draft with. Call it on an adapter, or give policy: ar().",
    );
  });

  it("has decided tokens in the past only where the base shares one", () => {
    const policy = speculative({ decided: "past" });
    expect(() => sampled({ policy, attention: "full" })).toThrow(
      /policy\.decided is past: in full attention/,
    );
    expect(sampled({ policy, attention: "causal-prefix" }).spec.policy).toEqual(policy);
  });
});
