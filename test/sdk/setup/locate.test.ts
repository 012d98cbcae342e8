import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { locateRuntime, requireRuntime } from "../../../sdk/src/setup/locate.js";

it("uses a checkout's own environment and Python sources", () => {
  const location = locateRuntime({ LAD_HOME: "/somewhere/else" });
  expect(location.isCheckout).toBe(true);
  expect(location.environmentFolder).toBe(join(location.packageFolder, ".venv"));
  expect(existsSync(join(location.runtimeFolder, "lad_runtime/__init__.py"))).toBe(true);
});

it("finds the environment that the tests run with", () => {
  expect(existsSync(requireRuntime().python)).toBe(true);
});
