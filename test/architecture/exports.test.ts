import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, it } from "vitest";
import { root } from "./imports.js";

const index = join(root, "sdk/src/index.ts");

/** Names that a file exports, by itself and through `export *`, types marked. */
function exported(file: string): string[] {
  const text = readFileSync(file, "utf8").replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, "");
  return [...declared(text), ...listed(text), ...passedOn(file, text)].sort();
}

function declared(text: string): string[] {
  const values = /^export (?:declare |abstract |async )*(?:class|function\*?|const|enum) (\w+)/gm;
  const types = /^export (?:declare )?(?:interface|type) (\w+)/gm;
  return [
    ...[...text.matchAll(values)].map(([, name]) => name ?? ""),
    ...[...text.matchAll(types)].map(([, name]) => `type ${name}`),
  ];
}

function listed(text: string): string[] {
  return [...text.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, type, names]) =>
    (names ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean)
      .map((name) => (type && !name.startsWith("type ") ? `type ${name}` : name))
      .map((name) => name.replace(/\S+ as /, "")),
  );
}

function passedOn(file: string, text: string): string[] {
  return [...text.matchAll(/^export (type )?\* from "(.*)\.js";/gm)].flatMap(([, type, path]) =>
    exported(`${resolve(dirname(file), path ?? "")}.ts`).map((name) =>
      type && !name.startsWith("type ") ? `type ${name}` : name,
    ),
  );
}

it("exports names, none by default", () => {
  expect(readFileSync(index, "utf8")).not.toMatch(/export\s+default/);
});

it("exports what test/contract/exports.txt lists; a change there is a change for every user", async () => {
  const list = `${[...new Set(exported(index))].join("\n")}\n`;
  await expect(list).toMatchFileSnapshot(join(root, "test/contract/exports.txt"));
});
