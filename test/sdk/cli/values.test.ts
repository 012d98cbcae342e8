import { draftOf, gap } from "lad";
import { describe, expect, it } from "vitest";
import { answerPieces } from "../../../sdk/src/cli/support/sampling.js";
import {
  choice,
  collect,
  decimal,
  integer,
  kind,
  overlaid,
  seed,
  share,
} from "../../../sdk/src/cli/support/values.js";

describe("a kind with settings", () => {
  it("is a name, a name with settings, or JSON", () => {
    expect(kind("remask")).toBe("remask");
    expect(kind("remask:iterations=8,sharpness=0.5")).toEqual({
      kind: "remask",
      iterations: 8,
      sharpness: 0.5,
    });
    expect(kind("cover:tail=true,name=x")).toEqual({ kind: "cover", tail: true, name: "x" });
    expect(kind("remask:kind=ar")).toEqual({ kind: "remask" });
    expect(kind('{"kind":"fixed","masked":1}')).toEqual({ kind: "fixed", masked: 1 });
  });

  it("is refused where it is neither", () => {
    expect(() => kind("remask:iterations")).toThrow("iterations is no key=value.");
    expect(() => kind('{"kind":')).toThrow("It begins as JSON, but is none.");
  });
});

describe("an option by its path", () => {
  it("is put in place, whatever it leads through, and the object itself stays as it was", () => {
    const before = { steps: 3, validation: { data: "d", everySteps: 0 } };
    expect(overlaid(before, ["validation.everySteps=50", "attention=causal-prefix", "steps=7"])).toEqual({
      steps: 7,
      validation: { data: "d", everySteps: 50 },
      attention: "causal-prefix",
    });
    expect(before).toEqual({ steps: 3, validation: { data: "d", everySteps: 0 } });
  });

  it("reaches no prototype", () => {
    const made = overlaid({}, ["__proto__.polluted=true", "constructor.prototype.polluted=true"]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
  });

  it("may be given again", () => {
    expect(collect("a=1", collect("b=2"))).toEqual(["b=2", "a=1"]);
    expect(() => collect("nothing")).toThrow("nothing is no key=value.");
  });
});

describe("numbers", () => {
  it.each(["", "x", "-1", "1.5", "1e3"])("are whole: not %s", (text) => {
    expect(() => integer(text)).toThrow("It must be a whole number.");
  });

  it("are decimal, or seeds of 64 bits", () => {
    expect(decimal("2e-2")).toBe(0.02);
    expect(() => decimal("two")).toThrow("It must be a number.");
    expect(seed("18446744073709551615")).toBe(2n ** 64n - 1n);
  });
});

describe("a word of several", () => {
  const device = choice(["cpu", "cuda", "container-cuda"], { gpu: "cuda" });

  it("is taken as it is", () => {
    expect(device("cuda")).toBe("cuda");
  });

  it.each([
    ["gpu", "Did you mean cuda? "],
    ["cdua", "Did you mean cuda? "],
    ["container-cdua", "Did you mean container-cuda? "],
    ["toString", ""],
    ["tpu-of-mine", ""],
  ])("is guessed where it is mistyped: %s", (text, guess) => {
    expect(() => device(text)).toThrow(`${guess}Give one of cpu, cuda, container-cuda.`);
  });
});

describe("a share", () => {
  it.each(["0", "1", "2", "-0.1", "half"])("lies between 0 and 1: not %s", (text) => {
    expect(() => share(text)).toThrow("It must be a number");
    expect(share("0.05")).toBe(0.05);
  });
});

describe("an answer in pieces", () => {
  it("has text that stays, gaps to fill and drafts", () => {
    expect(answerPieces("The [6] is [..4].")).toEqual(["The", gap(6), " is", gap({ upTo: 4 }), "."]);
    expect(answerPieces("Keep. {Better this.}[2]")).toEqual(["Keep.", draftOf(" Better this."), gap(2)]);
  });

  it("takes brackets as text behind a backslash", () => {
    expect(answerPieces("a\\[6\\] \\{b\\} \\\\")).toEqual(["a[6] {b} \\"]);
  });

  it("loses no character of text without brackets", () => {
    for (const text of ["", "x", "a\\b", "tail }", "}", "ünï 👩‍👩‍👧"]) {
      expect(answerPieces(text).join("")).toBe(text);
    }
  });

  it("reads long answers as fast as short ones, however many brackets they have", () => {
    const text = "\\[".repeat(100_000);
    expect(answerPieces(text)).toEqual(["[".repeat(100_000)]);
  });

  it("refuses a draft without an end", () => {
    for (const text of ["tail {", "{".repeat(100_000)]) {
      expect(() => answerPieces(text)).toThrow("A { has no }");
    }
  });

  it("refuses what is no gap", () => {
    expect(() => answerPieces("The [six].")).toThrow("[six] is no gap: [6] is six tokens, [..6] up to six.");
  });
});
