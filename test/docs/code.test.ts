/** Every block of code in the documentation is sound: compiled, parsed, or made of commands and flags that there are. Commands are not run. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { parseExperiment } from "lad";
import { afterAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { pythonOfCheckout } from "../../sdk/tools/checkout.js";
import { type Fence, type Page, pages, root } from "./support/pages.js";
import { commandProblem, commandsOf, shellProblems } from "./support/shell.js";
import { programOf, typeErrors } from "./support/typescript.js";

const scratch = mkdtempSync(join(tmpdir(), "lad-docs-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const written = pages();

/** Every block of a language with where it stands. */
function blocks(language: string): (Fence & { readonly where: string })[] {
  return written.flatMap(({ path, fences }) =>
    fences
      .filter((fence) => fence.language === language)
      .map((fence) => ({ ...fence, where: `${path}:${fence.line}` })),
  );
}

describe("the code of the documentation", () => {
  it("says what language it is in, one that a test reads; `text` is what a program prints", () => {
    const known = ["ts", "sh", "yaml", "json", "python", "text", "mermaid"];
    const strange = written.flatMap(({ path, fences }) =>
      fences
        .filter(({ language }) => !known.includes(language))
        .map(({ language, line }) => `${path}:${line}: "${language}" is none of ${known.join(", ")}`),
    );
    expect(strange).toEqual([]);
  });

  it("compiles against the package's types, where it is TypeScript", () => {
    expect(typeErrors(written)).toEqual([]);
  });

  it("has commands that there are, with flags that they take", async () => {
    const problems: string[] = [];
    for (const { code, where } of blocks("sh")) {
      for (const problem of await shellProblems(code)) problems.push(`${where}: ${problem}`);
    }
    expect(problems).toEqual([]);
    expect(blocks("sh").length).toBeGreaterThan(10);
  });

  it("installs the package from a file, as npm pack names it, and never by a name that is another program's", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    const installed = blocks("sh").flatMap(({ code, where }) =>
      commandsOf(code)
        .filter(([program, verb]) => program === "npm" && (verb === "install" || verb === "i"))
        .flatMap((words) => words.slice(2).map((word) => ({ where, word })))
        .filter(({ word }) => /(^|\/)lad\b/.test(word)),
    );
    expect(installed.map(({ where }) => where.replace(/:.*/, ""))).toEqual([
      "README.md",
      "docs/guide/first-run.md",
    ]);
    for (const { word, where } of installed) expect(word, where).toMatch(`/lad-${version}.tgz`);
  });

  it("names such commands in its sentences, too", async () => {
    const problems: string[] = [];
    for (const { path, prose } of written) {
      for (const [, command = ""] of prose.matchAll(
        /`((?:npx )?lad [a-z][^`\n]*|npm (?:run [a-z]|start|test)[^`\n]*)`/g,
      )) {
        for (const words of commandsOf(command)) {
          const problem = await commandProblem(words);
          if (problem !== undefined) problems.push(`${path}: \`${command}\`: ${problem}`);
        }
      }
    }
    expect(problems).toEqual([]);
  });

  it("reads as an experiment, where it is YAML", () => {
    for (const { code, where } of blocks("yaml")) {
      const part = parse(code) as { readonly training?: object };
      const whole = { base: "tiny", adapter: { rank: 4 }, ...part, training: { steps: 1, ...part.training } };
      expect(() => parseExperiment(stringify(whole), where), where).not.toThrow();
    }
    expect(blocks("yaml").length).toBeGreaterThan(0);
  });

  it("is JSON, a value a line, where it says so", () => {
    for (const { code, where } of blocks("json")) {
      const texts = code.startsWith("{\n") ? [code] : code.trim().split("\n");
      for (const text of texts) expect(() => JSON.parse(text), where).not.toThrow();
    }
  });

  it("compiles, where it is Python", () => {
    const { python } = pythonOfCheckout();
    for (const { code, where } of blocks("python")) {
      const { exitCode, stderr } = execaSync(
        python,
        ["-c", "import sys; compile(sys.stdin.read(), 'page', 'exec')"],
        {
          input: code,
          reject: false,
        },
      );
      expect(exitCode, `${where}: ${stderr}`).toBe(0);
    }
  });
});

describe("the reading of code", () => {
  it("finds what the compiler finds, at the line where it stands", () => {
    const fence = (code: string, line: number): Fence => ({ language: "ts", runs: false, code, line });
    const page: Page = {
      path: "docs/wrong.md",
      text: "",
      prose: "",
      fences: [
        fence("const rank = 4;\n", 3),
        fence('await base.createAdapter({ rank, sed: 1 });\nremask("x");\n', 9),
      ],
    };
    const errors = typeErrors([page]);
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatch(/^docs\/wrong\.md:9: .*'sed' does not exist/s);
    expect(errors[1]).toMatch(/^docs\/wrong\.md:10: /);
  });

  it("puts the blocks of a page within each other, its imports first and each once", () => {
    const fence = (code: string): Fence => ({ language: "ts", runs: true, code, line: 1 });
    const program = programOf([
      fence('import { a } from "lad";\nconst x = a;\n'),
      fence('import { a, b } from "lad";\nconst x = b;\n'),
    ]);
    expect(program.replace(/\s+/g, " ")).toBe(
      'import { a } from "lad"; import { b } from "lad"; const x = a; { const x = b; }',
    );
  });

  it.each([
    ["lad trian", "no command trian"],
    ["npx lad train --stpes 4", "takes no --stpes"],
    ["npx lad train --steps many", "whole number"],
    ["npm run lad -- runs resum x", "has no resum"],
    ["npm run biuld", "no script biuld"],
    ["npx tsx examples/none.ts", "no examples/none.ts"],
    ["npx tsx examples/train-and-sample.ts --stpes 3", "takes no --stpes"],
    ["npm start -- --minuets 3", "takes no --minuets"],
    ["docker compose --profile gpu up", "no profile gpu"],
    ["rm -rf x", "no program rm"],
  ])("refuses %s", async (command, why) => {
    expect((await shellProblems(command)).join()).toContain(why);
  });

  it("takes pipes, lists, quotes, comments and variables apart", () => {
    expect(commandsOf("A=1 npx lad x --y \"a | b\" | cat && printf 'c # d' # e\nlad z > f &")).toEqual([
      ["A=1", "npx", "lad", "x", "--y", "a | b"],
      ["cat"],
      ["printf", "c # d"],
      ["lad", "z"],
    ]);
  });
});
