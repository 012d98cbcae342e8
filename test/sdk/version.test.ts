import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { BUILD_VERSION, PROTOCOL_VERSION } from "../../sdk/src/version.js";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(resolve(root, path), "utf8");

it("the build version is the package's, in both languages", () => {
  expect(BUILD_VERSION).toBe((JSON.parse(read("package.json")) as { version: string }).version);
  expect(read("runtime/lad_runtime/__init__.py")).toContain(`__version__ = "${BUILD_VERSION}"`);
});

it("the protocol version is the worker's", () => {
  expect(read("runtime/lad_runtime/version.py")).toMatch(
    new RegExp(`PROTOCOL_VERSION\\b.*= ${PROTOCOL_VERSION}\\b`),
  );
});
