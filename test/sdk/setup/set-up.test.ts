import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Group, parseGroups } from "../../../sdk/src/setup/groups.js";
import { setUp } from "../../../sdk/src/setup/set-up.js";
import { FakeMachine } from "./fake-python.js";

let machine: FakeMachine;
let said: string[];

beforeEach(() => {
  machine = new FakeMachine();
  said = [];
  vi.stubEnv("LAD_PYTHON", machine.python);
  vi.stubEnv("LAD_TORCH_INDEX_URL", "");
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(machine.folder, { recursive: true });
});

function run(groups: Group[] = ["core"], torchIndexUrl?: string): Promise<void> {
  return setUp({ groups, log: (line) => said.push(line), location: machine.location, torchIndexUrl });
}

describe("setUp", () => {
  it("installs torch first and alone, then the rest, under the same constraints", async () => {
    await run();
    expect(machine.installs).toHaveLength(2);
    const [first = "", second = ""] = machine.installs;
    expect(first).toMatch(/--no-deps --constraint \S+constraints\.txt torch$/);
    expect(second).toMatch(/--constraint \S+constraints\.txt --requirement \S+core\.txt$/);
    expect(second).not.toContain("--no-deps");
  });

  it("takes torch alone from the index that is given for it, and says so without the password in it", async () => {
    await run(["core"], "https://user:secret@index.example/cpu");
    const [first = "", second = ""] = machine.installs;
    expect(first).toContain("--index-url https://user:secret@index.example/cpu torch");
    expect(second).not.toContain("--index-url");
    expect(said.join("\n")).toContain("will download PyTorch from https://***@index.example/cpu");
    expect(said.join("\n")).not.toContain("secret");
  });

  it("does nothing, and says nothing, when all is there", async () => {
    await run();
    said = [];
    await run();
    expect(machine.installs).toHaveLength(2);
    expect(said).toEqual([]);
  });

  it("adds only what is missing when more is wanted", async () => {
    await run();
    await run(["core", "dev"]);
    expect(machine.installs).toHaveLength(3);
    expect(machine.installs[2]).toContain("dev.txt");
  });

  it("installs once when several set-ups run at the same time", async () => {
    await Promise.all([run(), run(), run()]);
    expect(machine.installs).toHaveLength(2);
  });

  it("shows the end of a failed installation, and goes on from there the next time", async () => {
    machine.failNextInstall();
    await expect(run()).rejects.toMatchObject({
      code: "setup-failed",
      message: expect.stringMatching(/No matching distribution[\s\S]*lad-setup\.log/),
    });
    rmSync(join(machine.folder, "fail"));
    await run();
    expect(machine.installs).toHaveLength(3);
  });

  it("makes the environment again when its interpreter is gone", async () => {
    await run();
    rmSync(machine.python);
    vi.stubEnv("LAD_PYTHON", machine.installPython(join(machine.folder, "python-new")));
    await run();
    expect(machine.installs).toHaveLength(4);
  });
});

describe("setUp in a folder that cannot be made", () => {
  const inFolder = (environmentFolder: string) =>
    setUp({ groups: ["core"], log: () => {}, location: { ...machine.location, environmentFolder } });

  it.each([
    ["below a file", "EEXIST|ENOTDIR", () => join(machine.python, "lad/venv")],
    ["where a file is", "a file is in its place", () => machine.python],
    ["in /proc, which has no room for folders", "ENOENT", () => "/proc/x/venv"],
  ])("says so at once: %s", async (_, why, folder) => {
    await expect(inFolder(folder())).rejects.toMatchObject({
      code: "setup-failed",
      option: "LAD_HOME",
      message: expect.stringMatching(
        new RegExp(`cannot be made: (${why})\\. Name a folder that can be written in LAD_HOME`),
      ),
    });
    expect(machine.installs).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)(
    "says so at once: in a folder that is only read (skipped for root, who writes anywhere)",
    async () => {
      const folder = join(machine.folder, "only-read");
      mkdirSync(folder, { mode: 0o500 });
      await expect(inFolder(join(folder, "venv"))).rejects.toMatchObject({ code: "setup-failed" });
    },
  );
});

describe("parseGroups", () => {
  it("always has core, once", () => {
    expect(parseGroups("")).toEqual(["core"]);
    expect(parseGroups("dev,core,smollm2")).toEqual(["core", "dev", "smollm2"]);
  });

  it("names an unknown group and those that exist", () => {
    expect(() => parseGroups("dev,gpu")).toThrow("--with is gpu: there is no such set of packages.");
  });
});
