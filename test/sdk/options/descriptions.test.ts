import { describeNoises, describePolicies, noises, policies } from "lad";
import { describe, expect, it } from "vitest";

type Build = (options: Record<string, unknown>) => object;

const kinds = [
  ...describePolicies().map((one) => ({ ...one, build: policies[one.kind] as Build })),
  ...describeNoises().map((one) => ({ ...one, build: noises[one.kind] as Build })),
];

describe("what policies and noises say of themselves", () => {
  it("is there of every one, in a sentence, and of every option", () => {
    expect(describePolicies().map(({ kind }) => kind)).toEqual(Object.keys(policies));
    expect(describeNoises().map(({ kind }) => kind)).toEqual(Object.keys(noises));
    const mute = kinds.flatMap(({ kind, about, options }) => [
      ...(about.endsWith(".") ? [] : [kind]),
      ...options.filter((option) => !option.about.includes("Default: ")).map(({ name }) => `${kind}.${name}`),
    ]);
    expect(mute).toEqual([]);
  });

  it("has the defaults with which a kind is built", () => {
    for (const { options, build } of kinds) {
      const simple = options.filter(({ type }) => type !== "other");
      const said = Object.fromEntries(simple.map((option) => [option.name, option.default]));
      expect(build(said)).toEqual(build({}));
    }
  });

  it("has the limits that a kind is checked against", () => {
    const numeric = kinds.flatMap(({ options, build }) =>
      options
        .filter(({ type }) => type === "number" || type === "integer")
        .map((option) => ({ ...option, build })),
    );
    expect(numeric.length).toBeGreaterThan(20);
    for (const { name, min, max, isAboveMin, build } of numeric) {
      if (min === undefined) throw new Error(`${name} has no least value.`);
      expect(() => build({ [name]: isAboveMin ? min : min - 1 }), name).toThrow(name);
      if (!isAboveMin) expect(() => build({ [name]: min }), name).not.toThrow();
      if (max === undefined) continue;
      expect(() => build({ [name]: max }), name).not.toThrow();
      expect(() => build({ [name]: max + 1 }), name).toThrow(name);
    }
  });

  it("has the values of a choice", () => {
    const remask = describePolicies().find(({ kind }) => kind === "remask");
    const positions = remask?.options.find(({ name }) => name === "positions");
    expect(positions).toMatchObject({ type: "choice", choices: ["random", "clustered", "confidence"] });
  });

  it("tells whom a policy samples, and which can be gone on with", () => {
    const names = (is: "samplesBases" | "samplesAdapters" | "denoises") =>
      describePolicies().flatMap((policy) => (policy[is] ? [] : [policy.kind]));
    expect(names("samplesBases")).toEqual(["speculative"]);
    expect(names("samplesAdapters")).toEqual(["ar"]);
    expect(names("denoises")).toEqual(["ar", "speculative"]);
  });
});
