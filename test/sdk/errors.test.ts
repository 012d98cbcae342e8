import { join, resolve } from "node:path";
import { inspect } from "node:util";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import {
  cancelled,
  invalidOption,
  isLadError,
  LadError,
  messageAlone,
  shown,
  WorkerError,
} from "../../sdk/src/errors.js";

const SOURCES = resolve(import.meta.dirname, "../../sdk/src");

describe("a LadError", () => {
  const ofGrpc = Object.assign(new Error("3 INVALID_ARGUMENT: rank is 0"), {
    metadata: { internalRepr: new Map([["lad-error-bin", [Buffer.alloc(400, 7)]]]) },
  });

  it("is shown with its code and message first, without the cause that it keeps", () => {
    const error = new LadError("invalid-option", "rank is 0: too small.", {
      option: "rank",
      value: 0,
      cause: ofGrpc,
    });
    const lines = inspect(error).split("\n");
    expect(lines[0]).toBe("LadError [invalid-option]: rank is 0: too small.");
    expect(lines.slice(-5).join("")).toBe(
      "  code: 'invalid-option',  option: 'rank',  value: '0',  [cause]: [Getter]}",
    );
    expect(lines.join("\n")).not.toMatch(/INVALID_ARGUMENT|Buffer|metadata/);
    expect(error.cause).toBe(ofGrpc);
  });

  it("that nobody catches ends a program with so few lines", async () => {
    const program = `import { LadError } from ${JSON.stringify(join(SOURCES, "errors.ts"))};
      const cause = Object.assign(new Error("beneath"), { bytes: Buffer.alloc(4000) });
      throw new LadError("busy", "The worker is busy.", { cause, retryAfterMs: 100 });`;
    const words = ["--import", "tsx", "--input-type=module", "-e", program];
    const { stderr, exitCode } = await execa("node", words, { reject: false });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("LadError [busy]: The worker is busy.");
    expect(stderr).toContain("retryAfterMs: 100");
    expect(stderr).not.toMatch(/beneath|Buffer|bytes/);
    expect(stderr.split("\n").length).toBeLessThan(25);
  });

  it("of a worker is shown with how its process ended", () => {
    const error = new WorkerError("worker-died", "The worker ended.", { signal: "SIGKILL" });
    expect(inspect(error)).toMatch(
      /^WorkerError \[worker-died\]: The worker ended\.\n[\s\S]*signal: 'SIGKILL'/,
    );
  });

  it("has its message in JSON, too", () => {
    const error = new LadError("diverged", "loss is NaN.", { remedy: "Train slower.", cause: ofGrpc });
    expect(JSON.parse(JSON.stringify({ error }))).toEqual({
      error: { name: "LadError", code: "diverged", message: "loss is NaN. Train slower." },
    });
  });

  it("ends with the remedy and keeps option, value and cause", () => {
    const cause = new Error("beneath");
    const error = new LadError("invalid-option", "rank is 0: too small.", {
      option: "rank",
      value: 0,
      remedy: "Give 1.",
      cause,
    });
    expect(error.message).toBe("rank is 0: too small. Give 1.");
    expect(error).toMatchObject({
      name: "LadError",
      code: "invalid-option",
      option: "rank",
      value: "0",
      cause,
    });
  });

  it("names option, value, problem and remedy when made for an option", () => {
    const error = invalidOption("rank", 0, "it must be at least 1", "Give 1.");
    expect(error.message).toBe("rank is 0: it must be at least 1. Give 1.");
  });

  it("does not say twice what has to be given", () => {
    const error = invalidOption(
      "rank",
      0,
      "it must be an integer of at least 1",
      "Give an integer of at least 1.",
    );
    expect(error.message).toBe("rank is 0: it must be an integer of at least 1.");
    expect(error.remedy).toBe("Give an integer of at least 1.");
    expect(messageAlone(error)).toBe(error.message);
    expect(messageAlone(new LadError("storage", "Full.", { remedy: "Make room." }))).toBe("Full.");
  });

  it("is told by its code", () => {
    const error: unknown = new LadError("not-found", "no.");
    expect(isLadError(error)).toBe(true);
    expect(isLadError(error, "not-found")).toBe(true);
    expect(isLadError(error, "storage")).toBe(false);
    expect(isLadError(new Error("no"))).toBe(false);
  });

  it("of a worker shows the last lines of its log before the remedy", () => {
    const error = new WorkerError("worker-died", "The worker ended.", {
      log: ["one", "two"],
      remedy: "Look there.",
    });
    expect(error.message).toBe("The worker ended.\nThe last lines of its log:\n  one\n  two \nLook there.");
    expect(error.log).toEqual(["one", "two"]);
    expect(isLadError(error, "worker-died")).toBe(true);
  });
});

describe("a value in an error", () => {
  it.each([
    ["", '""'],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [12n, "12"],
    [{ a: 1n }, '{"a":"1"}'],
    [[1, 2], "[1,2]"],
    [null, "null"],
    [() => 1, "a function"],
  ])("is shown as text: %s", (value, text) => {
    expect(shown(value)).toBe(text);
  });

  it("is cut at 120 characters", () => {
    expect(shown("x".repeat(500))).toHaveLength(120);
  });

  it("may be circular", () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(shown(circle)).toBe("[object Object]");
  });
});

it("a cancelled call's error has the signal's reason as its cause, or is that reason where it is a LadError", () => {
  expect(cancelled("It", AbortSignal.abort("why"))).toMatchObject({ code: "cancelled", cause: "why" });
  const reason = new LadError("worker-died", "gone.");
  expect(cancelled("It", AbortSignal.abort(reason))).toBe(reason);
});
