import { mkdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { FIGURES } from "../../bench/figures/all.js";
import { LAD_GENERIC } from "../../bench/harness/figure.js";
import { parseBench } from "../../bench/harness/options.js";
import { scratchFolder } from "../e2e/support/stub.js";

const scratch = scratchFolder();
const parse = (...words: string[]) => parseBench(words, FIGURES);

it("knows every figure of the README's table", () => {
  const readme = readFileSync(resolve(import.meta.dirname, "../../bench/README.md"), "utf8");
  const listed = [...readme.matchAll(/^\| `([a-z][a-z-]*)` \|/gm)].map(([, name]) => name);
  expect(listed).toEqual(Object.keys(FIGURES));
});

describe("what is left out", () => {
  it("has its default, the base being the figure's own", () => {
    expect(parse("training-step")).toEqual({
      name: "training-step",
      against: undefined,
      json: false,
      profile: undefined,
      runs: 5,
      threads: availableParallelism(),
      base: "smollm2-135m",
      attention: "full",
      device: "cpu",
      allocator: false,
      compile: false,
      minutes: undefined,
    });
    expect(parse("overhead").base).toBe("tiny");
  });
});

describe("what is given", () => {
  it("is taken, paths from where the command was called", () => {
    const ref = join(scratch, "checkout");
    mkdirSync(join(ref, LAD_GENERIC.folder), { recursive: true });
    const words = `sampling-single --against ${ref} --json --runs 2 --threads 1 --base stub --attention prefix --device cuda`;
    expect(parse(...words.split(" "), "--profile", "trace.json")).toEqual({
      name: "sampling-single",
      against: ref,
      json: true,
      profile: resolve("trace.json"),
      runs: 2,
      threads: 1,
      base: "stub",
      attention: "prefix",
      device: "cuda",
      allocator: false,
      compile: false,
    });
  });

  it.each([
    [["traning-step"], /name is .*traning-step.*Did you mean training-step\?/],
    [["toString"], /there is no such figure/],
    [["llada", "startup"], /Measure one figure at a time/],
    [["llada", "--runs", "0"], /runs is .*0.*integer of at least 1/],
    [["llada", "--threads", "1.5"], /threads is .*1\.5/],
    [["sampling-single", "--attention", "causal"], /attention is .*causal.*Give one of full, prefix/],
    [["training-step", "--device", "gpu"], /device is .*gpu.*Give one of cpu, cuda/],
    [["latency", "--device", "cuda"], /device is .*cuda.*latency has no use for it/],
    [["llada", "--attention", "prefix"], /attention is .*prefix.*llada has no use for it/],
    [["scaling", "--against", "ref"], /against is .*scaling has no use for it/],
    [["llada", "--against", "nowhere"], /nowhere.*there is no dllm.*Give a checkout of ZHZisZZ\/dllm/],
    [["stress", "--seeds", "2"], /seeds is .*2.*stress has no use for it/],
    [["time-to-loss", "--seeds", "0"], /seeds is .*0.*integer of at least 1/],
    [["startup", "--profile", "f"], /profile is .*startup has no use for it/],
    [["training-step", "--allocator"], /allocator is .*no reference to give the settings to/],
    [["llada", "--run", "5"], /'--run'.*npm run bench/s],
  ])("is refused where it means nothing: %j", (words, problem) => {
    expect(() => parse(...words)).toThrow(problem);
  });
});
