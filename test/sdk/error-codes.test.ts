import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const CHECKOUT = resolve(import.meta.dirname, "../..");

/** The text of every source in a folder, by its path, generated ones left out. */
function sources(folder: string, ending: string): Map<string, string> {
  const root = join(CHECKOUT, folder);
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending) && !/(^|\/)gen\//.test(path))
    .map((path) => join(folder, path));
  return new Map(paths.map((path) => [path, readFileSync(join(CHECKOUT, path), "utf8")]));
}

const typescript = sources("sdk/src", ".ts");
const python = sources("runtime/lad_runtime", ".py");

/** The codes that `LadErrorCode` documents. */
const documented = [
  ...(/type LadErrorCode =([\s\S]*?");/.exec(typescript.get("sdk/src/errors.ts") ?? "")?.[1] ?? "").matchAll(
    /"([a-z-]+)"/g,
  ),
].map(([, code = ""]) => code);

/** The names of the worker's codes. */
const worker = new Map(
  [...(python.get("runtime/lad_runtime/errors.py") ?? "").matchAll(/^ {4}([A-Z_]+) = "([a-z-]+)"/gm)].map(
    ([, name = "", code = ""]) => [code, name],
  ),
);

it("documents codes, those of the worker among them", () => {
  expect(documented.length).toBeGreaterThan(20);
  expect([...worker.keys()].filter((code) => !documented.includes(code))).toEqual([]);
});

it.each(documented)("%s is thrown somewhere", (code) => {
  const thrown = new RegExp(String.raw`(?:Error\(\s*|\]: \[)"${code}"`);
  const here = [...typescript.values()].some((text) => thrown.test(text));
  const name = worker.get(code);
  const raised = new RegExp(String.raw`LadError\(\s*ErrorCode\.${name}\b`);
  const there = [...python].some(
    ([path, text]) => !path.endsWith("lad_runtime/errors.py") && raised.test(text),
  );
  expect(here || (name !== undefined && there)).toBe(true);
});

it("names no other codes where a comment says what is thrown", () => {
  const strangers = [...typescript].flatMap(([path, text]) =>
    [...text.matchAll(/@throws (?:LadError|WorkerError)((?:[^*@]|\*(?![/\s]*@|\/))*)/g)]
      .flatMap(([, said = ""]) => [...said.matchAll(/`([a-z]+(?:-[a-z]+)*)`/g)].map(([, code = ""]) => code))
      .filter((code) => !documented.includes(code) && !WORDS.has(code))
      .map((code) => `${path}: ${code}`),
  );
  expect(strangers).toEqual([]);
});

/** What those comments name besides codes. */
const WORDS: ReadonlySet<string> = new Set(["overwrite", "data", "prepare", "pause"]);
