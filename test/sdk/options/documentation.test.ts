import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { type HoveredProperty, hoveredProperties } from "../support/hover.js";
import { optionSchemas, untold } from "../support/option-schemas.js";

const checkout = resolve(import.meta.dirname, "../../..");
const ENTRIES = ["index.d.ts", "endpoint/index.d.ts", "report/index.d.ts"];

/** The package's declarations, as a build makes them. */
let built: string;
let properties: HoveredProperty[];
let schemas: ReadonlyMap<string, z.ZodObject>;

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "lad-declarations-"));
  symlinkSync(join(checkout, "node_modules"), join(built, "node_modules"));
  const words = ["-p", "tsconfig.build.json", "--emitDeclarationOnly", "--noCheck", "--outDir", built];
  await execa("tsc", words, { cwd: checkout, preferLocal: true });
  properties = ENTRIES.flatMap((entry) => hoveredProperties(join(built, entry)));
  schemas = await optionSchemas();
});

afterAll(() => rmSync(built, { recursive: true, force: true }));

describe("what an editor shows of the published types", () => {
  it("says what each property means", () => {
    const mute = properties.filter(({ text }) => text === "").map(({ type, path }) => `${type}.${path}`);
    expect(mute).toEqual([]);
  });

  it("names the default and the range of each option, as its schema has them", () => {
    expect(properties.flatMap((property) => untold(property, schemas))).toEqual([]);
  });

  it("has every option that a schema takes", () => {
    const shown = new Set(properties.map(({ type, path }) => `${type}.${path}`));
    const taken = [...schemas].flatMap(([type, { shape }]) =>
      Object.keys(shape).map((key) => `${type}.${key}`),
    );
    expect(taken.filter((option) => !shown.has(option))).toEqual([]);
    expect(taken).toEqual(expect.arrayContaining(["AdapterOptions.rank", "RemaskOptions.retention"]));
  });

  it("cites no file that is not published", () => {
    const { files } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { files: string[] };
    const published = (path: string) =>
      [...files, "package.json", "README.md", "LICENSE"].some(
        (entry) => path === entry || path.startsWith(`${entry}/`),
      );
    const strangers = declarations().flatMap((path) =>
      citedFiles(path)
        .filter((cited) => !published(cited) || !existsSync(join(checkout, cited)))
        .map((cited) => `${path.slice(built.length + 1)}: ${cited}`),
    );
    expect(strangers).toEqual([]);
  });
});

/** Everything that is published of types. */
function declarations(): string[] {
  return readdirSync(built, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".d.ts") && !name.startsWith("node_modules"))
    .map((name) => join(built, name));
}

const EXTENSIONS = "ts|mjs|js|py|md|proto|json|txt|toml|yml|yaml";
const CITED = new RegExp(String.raw`(?<![\w/.-])[\w.-]+(?:/[\w.-]+)*\.(?:${EXTENSIONS})\b`, "g");

/** The files that a source's comments name. */
function citedFiles(path: string): string[] {
  const text = readFileSync(path, "utf8");
  const scanner = ts.createScanner(ts.ScriptTarget.ES2022, false, ts.LanguageVariant.Standard, text);
  const cited: string[] = [];
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    const isComment =
      token === ts.SyntaxKind.MultiLineCommentTrivia || token === ts.SyntaxKind.SingleLineCommentTrivia;
    if (isComment) cited.push(...(scanner.getTokenText().match(CITED) ?? []));
  }
  return cited;
}
