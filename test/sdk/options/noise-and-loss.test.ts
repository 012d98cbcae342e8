import { describe, expect, it, test } from "vitest";
import { SUPERVISIONS, targeted, WEIGHTINGS } from "../../../sdk/src/method/loss-targets.js";
import { NOISE_KINDS, type Noise, type NoiseKind, noiseDefinition } from "../../../sdk/src/method/noise.js";
import {
  cover,
  lad,
  maskOnly,
  noises,
  type OwnDraftOptions,
  ownDraft,
} from "../../../sdk/src/method/noises/registered.js";
import { checkLossFits, checkSupervises, lossSchema } from "../../../sdk/src/options/loss.js";
import { customNoise, type NoiseInput, noiseSchema } from "../../../sdk/src/options/noise.js";
import { checkTraining } from "../../../sdk/src/options/training.js";
import { fromNoise, toLoss, toNoise } from "../../../sdk/src/wire.js";

describe.each(NOISE_KINDS)("the noise %s", (kind) => {
  it("is the same by its name, by its builder and as an object", () => {
    expect(noiseSchema.parse(kind)).toEqual(noises[kind]());
    expect(noiseSchema.parse({ kind })).toEqual(noises[kind]());
  });

  it("is sent as the message of its name, with its own options alone", () => {
    const { kind: name, ...options } = noises[kind]();
    const camel = name.replace(/-./g, (letters) => letters.slice(1).toUpperCase());
    const value = "noise" in options ? { ...options, noise: toNoise(options.noise) } : options;
    expect(toNoise(noises[kind]())).toEqual({ kind: { $case: camel, value } });
  });

  it("comes back from the worker as it was sent", () => {
    expect(fromNoise(toNoise(noises[kind]()))).toEqual(noises[kind]());
  });

  it("says of itself what its builder makes", () => {
    expect(noiseDefinition(kind).kind).toBe(kind);
    const { kind: _, ...options } = noises[kind]();
    expect(noiseDefinition(kind).options.parse({})).toEqual(options);
  });
});

describe("an option of another noise", () => {
  it("does not compile", () => {
    // @ts-expect-error
    expect(() => maskOnly({ swapScale: 1 })).toThrow(/swapScale is 1: there is no such option/);
    // @ts-expect-error
    const input: NoiseInput = { kind: "mask-only", maxSpan: 3 };
    expect(noiseSchema.safeParse(input).success).toBe(false);
    // @ts-expect-error
    expect((lad() as Noise & { kind: "lad" }).minTime).toBeUndefined();
  });

  it("is no option of none, which has none", () => {
    expect(noiseSchema.safeParse({ kind: "none", tailNoise: false }).success).toBe(false);
  });
});

describe("own drafts", () => {
  const drawn = NOISE_KINDS.filter((kind) => kind !== "own-draft");

  it.each(drawn)("are made from %s, by its name, its builder and as an object", (kind) => {
    const noise = noises[kind]();
    const wanted = { kind: "own-draft", share: 0.5, temperature: 1, noise, after: 0 };
    for (const given of [kind, noise, { kind }] as const) {
      expect(ownDraft({ noise: given } as OwnDraftOptions)).toEqual(wanted);
      expect(noiseSchema.parse({ kind: "own-draft", noise: given })).toEqual(wanted);
    }
    expect(fromNoise(toNoise(ownDraft({ noise })))).toEqual(wanted);
  });

  it("are made from lad where nothing is said", () => {
    expect(ownDraft()).toEqual(ownDraft({ share: 0.5, temperature: 1, noise: lad() }));
  });

  it.each([
    [{ share: 1.5 }, "share", /a number from 0 to 1/],
    [{ temperature: -1 }, "temperature", /a finite number of at least 0/],
    [{ after: -0.1 }, "after", /a number from 0 to 1/],
    [{ noise: { kind: "mask-only", minTime: 2 } }, "noise.minTime", /a number above 0 and at most 1/],
    [
      { noise: "own-draft" },
      "noise",
      /one of lad, mask-only, cover, uniform, none, fixed, or lad\(\), maskOnly\(\)/,
    ],
    [{ noise: ownDraft() }, "noise.kind", /./],
  ])("are refused for %j by the option's name", (options, option, words) => {
    const made = () => ownDraft(options as OwnDraftOptions);
    expect(made).toThrow(words);
    expect(made).toThrow(expect.objectContaining({ option }));
  });

  it("of a training run are refused by the option's whole path", () => {
    const noise = { kind: "own-draft", noise: { kind: "uniform", minTime: 0 } } as const;
    const check = () => checkTraining({ data: [{ instruction: "a", output: "b" }], noise }, () => {});
    expect(check).toThrow(expect.objectContaining({ option: "noise.noise.minTime" }));
  });

  it("of own drafts, or of a custom noise, do not compile", () => {
    // @ts-expect-error
    expect(() => ownDraft({ noise: ownDraft() })).toThrow();
    // @ts-expect-error
    expect(() => ownDraft({ noise: customNoise(({ ids }) => ({ ids })) })).toThrow();
    // @ts-expect-error
    const input: NoiseInput = { kind: "own-draft", noise: { kind: "lad", minTime: 1 } };
    expect(noiseSchema.safeParse(input).success).toBe(false);
  });
});

describe("a loss", () => {
  const timed = NOISE_KINDS.filter((kind) => noiseDefinition(kind).hasTime);

  test("of inverse-time weights goes with the noises that have a time, and with no others", () => {
    expect(timed).toEqual<NoiseKind[]>(["mask-only", "uniform"]);
    const loss = lossSchema.parse({ supervise: "corrupted-answer-tokens", weighting: "inverse-time" });
    for (const kind of NOISE_KINDS) {
      const fit = () => checkLossFits(loss, noises[kind]());
      if (timed.includes(kind)) expect(fit).not.toThrow();
      else expect(fit).toThrow(/Use maskOnly\(\) or uniform\(\) noise, or the weighting uniform/);
    }
  });

  test("of uniform weights goes with every noise", () => {
    for (const kind of NOISE_KINDS) {
      expect(() => checkLossFits(lossSchema.parse("all-tokens"), noises[kind]())).not.toThrow();
    }
  });

  test("over the prompt is refused where nothing of the adapter computes it", () => {
    for (const [supervise, { prompt }] of Object.entries(SUPERVISIONS)) {
      const check = () => checkSupervises(lossSchema.parse(supervise), "causal-prefix");
      if (prompt) expect(check).toThrow(/Set loss.supervise to all-answer-tokens or corrupted-answer-tokens/);
      else expect(check).not.toThrow();
      expect(() => checkSupervises(lossSchema.parse(supervise), "full")).not.toThrow();
    }
  });

  test("of the base's targets has their defaults and ranges, and needs a noise that the worker draws", () => {
    const loss = lossSchema.parse({ soft: {} });
    expect(loss.soft).toEqual({ topK: 32, share: 1 });
    expect(toLoss(loss)).toMatchObject({ soft: { topK: 32, share: 1 } });
    expect(toLoss(lossSchema.parse("all-tokens")).soft).toBeUndefined();
    for (const share of [0, 1.5]) {
      expect(() => lossSchema.parse({ soft: { share } })).toThrow(/a number above 0 and at most 1/);
    }
    expect(() => lossSchema.parse({ soft: { topK: 0 } })).toThrow(/an integer from 1 to 1024/);
    expect(() => checkLossFits(loss, lad())).not.toThrow();
    const own = customNoise(({ ids }) => ({ ids }));
    expect(() => checkLossFits(loss, own)).toThrow(/loss\.soft is .*Use adapter.train with a noise/);
    expect(() => targeted([], [], loss)).toThrow(/loss\.soft is .*the worker makes the base's targets/);
  });

  test("names the choices that there are", () => {
    expect(() => lossSchema.parse({ weighting: "none" })).toThrow(Object.keys(WEIGHTINGS).join(", "));
    expect(() => lossSchema.parse("none")).toThrow(Object.keys(SUPERVISIONS).join(", "));
  });

  test("is not fooled by a time that some of the examples have", () => {
    const loss = lossSchema.parse({ supervise: "corrupted-answer-tokens", weighting: "inverse-time" });
    expect(() => checkLossFits(loss, cover())).toThrow(/cover noise has no time t/);
  });
});
