import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { DataService } from "../../sdk/src/wire.js";
import { stubWorker } from "./support/stub-worker.js";

const CHECKOUT = resolve(import.meta.dirname, "../..");

/** The fields that hold 64-bit integers of the interfaces that the package exports: `AdapterInfo.seed`. */
function bigintFields(): string[] {
  const exported = new Set(
    [...readFileSync(join(CHECKOUT, "test/contract/exports.txt"), "utf8").matchAll(/^type (\w+)$/gm)].map(
      ([, name]) => name,
    ),
  );
  const sources = join(CHECKOUT, "sdk/src");
  const fields: string[] = [];
  for (const path of readdirSync(sources, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts") || path.startsWith("gen/")) continue;
    const file = ts.createSourceFile(
      path,
      readFileSync(join(sources, path), "utf8"),
      ts.ScriptTarget.ES2022,
      true,
    );
    for (const statement of file.statements) {
      if (!ts.isInterfaceDeclaration(statement) || !exported.has(statement.name.text)) continue;
      for (const member of statement.members.filter(ts.isPropertySignature)) {
        const isGiven =
          ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.ReadonlyKeyword) !== true;
        if (isGiven || !/\bbigint\b/.test(member.type?.getText() ?? "")) continue;
        fields.push(`${statement.name.text}.${member.name.getText()}`);
      }
    }
  }
  return fields.sort();
}

/** What a caller gives: keys of draws, and choices with their numbers. */
const GIVEN = [
  "DraftKey.seed",
  "IterationPrediction.seed",
  "LikelihoodMasksOptions.key",
  "LikelihoodMasksOptions.seed",
  "MonteCarlo.seed",
  "NoiseContext.seed",
  "NoiseDraw.seed",
  "ReportOptions.seeds",
  "SplitKey.seed",
];

it("no result holds a 64-bit integer but these, which are digits in JSON", () => {
  expect(bigintFields().filter((field) => !GIVEN.includes(field))).toEqual([
    "AdapterInfo.seed",
    "CanvasPrediction.seed",
    "PreparedExample.id",
    "SpecifiedAdapter.seed",
    "SpecifiedTraining.seed",
    "SpecifiedValidation.seed",
  ]);
});

it("an adapter, and a worker's info with it, is JSON with its seed in digits", async () => {
  const { runtime, adapter } = await stubWorker();
  expect(JSON.parse(JSON.stringify(adapter.info))).toMatchObject({ id: "adapter-1", seed: "0", rank: 4 });
  expect(adapter.info.seed).toBe(0n);
  expect(JSON.parse(JSON.stringify([await adapter.refresh()]))[0].seed).toBe("0");
  runtime.close();
});

it("a prepared example is JSON with its id in digits", async () => {
  const { base, transport } = await stubWorker();
  const example = {
    id: 2n ** 63n,
    ids: [1, 2],
    answer: Buffer.from([0, 1]),
    tail: Buffer.from([0, 0]),
    weight: 1,
  };
  transport.onStream(DataService.streamExamples, async function* () {
    yield { examples: [example] };
  });
  for await (const prepared of base.examples([{ instruction: "a", output: "b" }], { windowTokens: 8 })) {
    expect(prepared.id).toBe(2n ** 63n);
    expect(JSON.parse(JSON.stringify(prepared))).toMatchObject({ id: "9223372036854775808", ids: [1, 2] });
  }
});
