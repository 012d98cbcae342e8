import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type Experiment,
  experimentAt,
  formatExperiment,
  parseExperiment,
  readExperiment,
} from "../../../sdk/src/index.js";
import { testFolder } from "../support/folders.js";

const text = `name: ranks
runtime: { device: cpu, threads: 1 }
base: tiny
adapter:
  rank: 16
  seed: 1
training:
  data: { jsonl: train.jsonl }
  windowTokens: 96
  noise: { kind: cover, tailNoise: false }
  optimizer: muon
  learningRate: 0.01
  steps: 300
  validation: { data: { jsonl: heldout.jsonl }, maxExamples: 100 }
evaluation:
  data: { jsonl: heldout.jsonl }
  sampling:
    - { policy: { kind: refine, iterations: 16 } }
    - { policy: { kind: remask, iterations: 16, positions: confidence } }
sweep:
  axes:
    adapter.rank: [4, 16, 64]
`;

/** The text with one line changed. */
function changed(from: string, to: string): string {
  expect(text).toContain(from);
  return text.replace(from, to);
}

describe("an experiment's file", () => {
  it("says what was written and nothing more", () => {
    const experiment = parseExperiment(text);
    expect(experiment.adapter).toEqual({ rank: 16, seed: 1 });
    expect(experiment.training).toMatchObject({ optimizer: "muon", steps: 300 });
    expect(experiment.training).not.toHaveProperty("batchSize");
  });

  it("is written and read back as the same", () => {
    const experiment = parseExperiment(text);
    expect(parseExperiment(formatExperiment(experiment))).toEqual(experiment);
  });

  it("has a noise within a noise", () => {
    const own = "noise: { kind: own-draft, share: 0.25, noise: { kind: cover, tailNoise: false } }";
    const experiment = parseExperiment(changed("noise: { kind: cover, tailNoise: false }", own));
    const noise = { kind: "own-draft", share: 0.25, noise: { kind: "cover", tailNoise: false } };
    expect(experiment.training.noise).toEqual(noise);
    expect(parseExperiment(formatExperiment(experiment))).toEqual(experiment);
    const point = experimentAt(experiment, { "training.noise.noise.tailNoise": true });
    expect(point.training.noise).toMatchObject({ noise: { tailNoise: true } });
    const misspelt = own.replace("tailNoise", "tailnoise");
    expect(() => parseExperiment(changed("noise: { kind: cover, tailNoise: false }", misspelt))).toThrow(
      /training\.noise\.noise\.tailnoise .*Did you mean tailNoise\?/,
    );
  });

  it("keeps seeds of 64 bits when it is written", () => {
    const experiment = { ...parseExperiment(text), adapter: { rank: 4, seed: 2n ** 60n } };
    expect(formatExperiment(experiment)).toContain(String(2n ** 60n));
  });

  it("names data beside itself", async () => {
    const folder = testFolder();
    await writeFile(join(folder, "experiment.yaml"), text);
    const { training } = await readExperiment(join(folder, "experiment.yaml"));
    expect(training.data).toEqual({ jsonl: join(folder, "train.jsonl") });
    expect(training.validation?.data).toEqual({ jsonl: join(folder, "heldout.jsonl") });
  });

  it("that is missing is an error that names it", async () => {
    await expect(readExperiment("/no/such.yaml")).rejects.toMatchObject({
      code: "not-found",
      value: "/no/such.yaml",
    });
  });
});

describe("a mistake in it", () => {
  it.each([
    ["  windowTokens: 96", "  windowToken: 96", 9, "training.windowToken", "Did you mean windowTokens?"],
    ["  rank: 16", "  rank: 0", 5, "adapter.rank", "Give an integer of at least 1."],
    ["training:", "trainign:", 7, "trainign", "Did you mean training?"],
    ["optimizer: muon", "optimizer: mon", 11, "training.optimizer", "Did you mean muon?"],
    ["tailNoise: false", "tailnoise: false", 10, "training.noise.tailnoise", "Did you mean tailNoise?"],
    [
      "positions: confidence",
      "position: confidence",
      19,
      "evaluation.sampling[1].policy.position",
      "Did you mean positions?",
    ],
    ["adapter.rank: [4", "adapter.rnk: [4", 22, "sweep.axes.adapter.rnk", "Did you mean adapter.rank?"],
    ["device: cpu", "device: gpu", 2, "runtime.device", "Did you mean cuda?"],
  ])("is told with its line: %s → %s", (from, to, line, option, remedy) => {
    const parse = () => parseExperiment(changed(from, to), "e.yaml");
    expect(parse).toThrow(expect.objectContaining({ code: "invalid-option", option, remedy }));
    expect(parse).toThrow(`e.yaml, line ${line}: `);
  });

  it("of the YAML itself is told with its line", () => {
    expect(() => parseExperiment(changed("base: tiny", "base: [tiny"), "e.yaml")).toThrow(
      /e\.yaml, line \d+: /,
    );
    expect(() => parseExperiment(changed("base: tiny", "name: again"), "e.yaml")).toThrow(
      /line 3: .*unique/i,
    );
  });

  it("of aliases that unfold beyond measure is told as one of the YAML", () => {
    const bomb = ["a: &a [1,1,1,1,1,1,1,1,1]", "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]"];
    const more = ["c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]", "d: [*c,*c,*c,*c,*c,*c,*c,*c,*c]"];
    expect(() => parseExperiment([...bomb, ...more].join("\n"))).toThrow(
      expect.objectContaining({ code: "invalid-file" }),
    );
  });

  it("is a value of an axis that its option does not take", () => {
    const swept = changed("adapter.rank: [4", "adapter.rank: [0");
    expect(() => parseExperiment(swept)).toThrow(
      expect.objectContaining({ code: "invalid-option", option: "sweep.axes.adapter.rank[0]", value: "0" }),
    );
  });

  it("is something that is missing", () => {
    expect(() => parseExperiment(changed("base: tiny\n", ""))).toThrow("base is missing: it is required.");
    expect(() => parseExperiment("")).toThrow(/must be an object/);
  });

  it("cannot run code", () => {
    expect(() => parseExperiment(changed("base: tiny", 'base: !!js/function "x"'))).toThrow();
  });
});

describe("a point of its sweep", () => {
  const experiment = parseExperiment(text);

  it("has the axes' values in place and no sweep of its own", () => {
    const point = experimentAt(experiment, { "adapter.rank": 64, "training.noise": "lad" });
    expect(point.adapter.rank).toBe(64);
    expect(point.training.noise).toBe("lad");
    expect(point.sweep).toBeUndefined();
    expect(experiment.adapter.rank).toBe(16);
  });

  it("is checked as the whole is", () => {
    expect(() => experimentAt(experiment, { "adapter.rank": 0 })).toThrow("adapter.rank is 0");
    expect(() => experimentAt(experiment as Experiment, { "adapter.rnk": 4 })).toThrow("Did you mean rank?");
  });

  it.each(["__proto__.polluted", "training.__proto__.polluted", "adapter.constructor.polluted", "toString"])(
    "is refused for what every object has: %s",
    (path) => {
      expect(() => experimentAt(experiment, { [path]: 1 })).toThrow(`${path} leads to no option`);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      expect((Object as unknown as Record<string, unknown>).polluted).toBeUndefined();
    },
  );
});
