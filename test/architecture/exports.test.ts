import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./imports.js";

const index = readFileSync(join(root, "sdk/src/index.ts"), "utf8");

/** Names as `index.ts` exports them, types marked. */
function exported(text: string): string[] {
  return [...text.matchAll(/export\s+(type\s+)?\{([^}]*)\}/g)]
    .flatMap(([, type, names]) =>
      (names ?? "")
        .replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, "")
        .split(",")
        .map((name) => name.trim())
        .filter(Boolean)
        .map((name) => (type && !name.startsWith("type ") ? `type ${name}` : name))
        .map((name) => name.replace(/\S+ as /, "")),
    )
    .sort();
}

it("exports every name explicitly", () => {
  expect(index).not.toMatch(/export\s+\*/);
  expect(index).not.toMatch(/export\s+default/);
});

it("exports what test/contract/exports.txt lists; a change there is a change for every user", async () => {
  await expect(`${exported(index).join("\n")}\n`).toMatchFileSnapshot(
    join(root, "test/contract/exports.txt"),
  );
});
