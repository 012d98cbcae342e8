/** What `lad doctor` finds, one examination at a time. */
import { mkdtempSync, readFileSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { EXAMINATIONS } from "../../../sdk/src/cli/support/examinations.js";

const root = join(import.meta.dirname, "../../..");

afterEach(() => {
  vi.unstubAllEnvs();
});

function finding(name: string) {
  return EXAMINATIONS.find((one) => one.name === name)?.look() ?? expect.unreachable(name);
}

describe("the versions", () => {
  it("are those of lad, of the worker, and of every package that a worker needs", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect((await finding("lad")).text).toBe(`${version} in ${root}`);
    const { state, text } = await finding("packages");
    expect(state).toBe("fine");
    expect(text).toMatch(new RegExp(`^worker ${version}, torch \\d`));
    const core = readFileSync(join(root, "runtime/requirements/core.txt"), "utf8");
    const needed = core.split("\n").filter((line) => /^\w/.test(line));
    expect(text.split(", ")).toHaveLength(1 + needed.length);
    for (const each of text.split(", ")) expect(each).toMatch(/^[a-z0-9-]+ \d[\w.+]*$/);
  });
});

describe("sockets", () => {
  it("are opened where a worker's are, and leave nothing behind", async () => {
    const folder = mkdtempSync(join(tmpdir(), "d-"));
    vi.stubEnv("TMPDIR", folder);
    expect(await finding("sockets")).toEqual({ state: "fine", text: `one opens in ${folder}` });
    rmdirSync(folder); // only an empty one can be
  });

  it("are in /tmp where the temporary folder's path is too long for one", async () => {
    vi.stubEnv("TMPDIR", join(tmpdir(), "x".repeat(100)));
    expect((await finding("sockets")).text).toBe("one opens in /tmp");
  });

  it("that do not open are a problem, with what to set", async () => {
    vi.stubEnv("TMPDIR", "/no-such-folder");
    expect(await finding("sockets")).toEqual({
      state: "problem",
      text: "none opens in /no-such-folder (ENOENT)",
      remedy: expect.stringContaining("Set TMPDIR to a folder of a disk of this machine"),
    });
  });
});

describe("LAD_WORKER", () => {
  it("at which nobody answers is told as that", async () => {
    vi.stubEnv("LAD_WORKER", "unix:///nowhere/worker.sock");
    vi.stubEnv("LAD_TOKEN", "0123456789");
    const { state, text, remedy } = await finding("worker");
    expect({ state, text }).toEqual({
      state: "problem",
      text: expect.stringContaining(
        "LAD_WORKER names one at unix:///nowhere/worker.sock, which does not answer",
      ),
    });
    expect(remedy).toContain("unset LAD_WORKER");
  });

  it("without a token is told, with what to set", async () => {
    vi.stubEnv("LAD_WORKER", "localhost:1");
    vi.stubEnv("LAD_TOKEN", undefined);
    expect(await finding("worker")).toEqual({
      state: "problem",
      text: "LAD_WORKER names localhost:1, and LAD_TOKEN no token",
      remedy: "Set LAD_TOKEN to its token.",
    });
  });
});
