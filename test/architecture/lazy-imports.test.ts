import { execa } from "execa";
import { expect, it } from "vitest";
import { requireRuntime } from "../../sdk/src/setup/locate.js";

/** Libraries that take seconds to import and are needed only by some calls, or by tests. */
const HEAVY = ["transformers", "peft", "datasets", "lm_eval", "accelerate", "pandas", "gguf"];

it("starts the worker without the libraries that only some calls need", async () => {
  const { python, runtimeFolder } = requireRuntime();
  const program = `
import importlib, pkgutil, sys
import lad_runtime.__main__
for package in ("server", "engine", "wire", "torch_backend"):
    importlib.import_module("lad_runtime." + package)
print(" ".join(name for name in ${JSON.stringify(HEAVY)} if name in sys.modules))
`;
  const { stdout } = await execa(python, ["-c", program], { env: { PYTHONPATH: runtimeFolder } });
  expect(stdout).toBe("");
});
