import { describe, expect, it } from "vitest";
import { CANDIDATES, findPython, type Probe } from "../../../sdk/src/setup/python.js";

function machine(found: Record<string, [version: string, hasEnsurepip?: boolean]>) {
  return async (command: string): Promise<Probe | undefined> => {
    const answer = found[command];
    return (
      answer && { executable: `/usr/bin/${command}`, version: answer[0], hasEnsurepip: answer[1] ?? true }
    );
  };
}

describe("findPython", () => {
  it("takes python3 where it is new enough", async () => {
    const python = await findPython(undefined, machine({ python3: ["3.11.7"], "python3.12": ["3.12.1"] }));
    expect(python).toEqual({ executable: "/usr/bin/python3", version: "3.11.7" });
  });

  it("passes over a python3 that is too old or too new for one that will do", async () => {
    for (const version of ["3.9.2", "3.14.0"]) {
      const python = await findPython(undefined, machine({ python3: [version], "python3.13": ["3.13.0"] }));
      expect(python.version).toBe("3.13.0");
    }
  });

  it("passes over an interpreter without ensurepip for a complete one", async () => {
    const found = machine({ python3: ["3.11.2", false], "python3.10": ["3.10.4"] });
    expect((await findPython(undefined, found)).version).toBe("3.10.4");
  });

  it("takes LAD_PYTHON and nothing else", async () => {
    const found = machine({ python3: ["3.11.7"], "/opt/python": ["3.9.0"] });
    await expect(findPython("/opt/python", found)).rejects.toMatchObject({
      code: "setup-failed",
      option: "LAD_PYTHON",
      value: "/opt/python",
      message: expect.stringContaining(
        "Python 3.9.0 (/usr/bin//opt/python) will not do: the worker needs 3.10 to 3.13",
      ),
    });
    await expect(findPython("/no/such", found)).rejects.toThrow(
      "LAD_PYTHON is /no/such: that command does not run.",
    );
  });

  it("names the package that holds a missing ensurepip", async () => {
    await expect(findPython(undefined, machine({ python3: ["3.11.2", false] }))).rejects.toMatchObject({
      code: "setup-failed",
      message: expect.stringContaining("sudo apt install python3.11-venv"),
    });
  });

  it("says what to install where there is no Python at all", async () => {
    await expect(findPython(undefined, machine({}))).rejects.toThrow("Install Python 3.10 to 3.13");
  });

  it("finds an interpreter on this machine, by its own path", async () => {
    const python = await findPython();
    expect(python.version).toMatch(/^3\.1[0-3]\./);
    expect(CANDIDATES).not.toContain(python.executable);
  });
});
