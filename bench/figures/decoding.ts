/** What each policy makes of the same adapter: exact match against forwards, edits, and self-speculation beside the base's own answers. */
import {
  editing,
  entropyBound,
  llada,
  type Policy,
  Runtime,
  refine,
  remask,
  revoking,
  speculative,
  threshold,
} from "../../sdk/src/index.js";
import { number, percent } from "../../sdk/src/report/numbers.js";
import { scatter } from "../../sdk/src/report/scatter.js";
import { type Column, renderTable } from "../../sdk/src/report/table.js";
import { adapterOf, questionsOf, trainingOf } from "../decoding/adapters.js";
import { type PolicyRow, rowOf, type SpeculativeRow, speculativeRow } from "../decoding/answers.js";
import { type InfillingRow, infillingRow, type RepairingRow, repairingRow } from "../decoding/edits.js";
import { nameOf } from "../decoding/policy-name.js";
import type { Bench } from "../harness/bench.js";
import type { Figure } from "../harness/figure.js";
import type { Report } from "../harness/result.js";

/** A policy with its settings, for the table. */
const POLICIES: readonly Policy[] = [
  ...[2, 4, 8, 16, 32].map((iterations) => remask({ iterations })),
  ...[1, 2, 3, 4, 16].map((iterations) => refine({ iterations })),
  ...[8, 16, 32].map((iterations) => llada({ iterations })),
  ...[2, 3, 32].map((iterations) => threshold({ iterations })),
  ...[2, 3, 32].map((iterations) => editing({ iterations })),
  ...[2, 3, 32].map((iterations) => revoking({ iterations })),
  ...[3, 32].map((iterations) => entropyBound({ iterations, anneal: false })),
];

/** What fills in a hidden word, and what puts a draft right but leaves alone what is right. */
const INFILLING = refine({ iterations: 3 });
const REPAIRING = editing({ iterations: 4, editConfidence: 0.5 });

interface Measured {
  readonly steps: number;
  readonly rows: readonly PolicyRow[];
  readonly infilling: InfillingRow;
  readonly repairing: RepairingRow;
  readonly speculative: SpeculativeRow;
}

export const decoding: Figure = {
  about: "exact match, forwards and tokens a forward of every policy, edits, and self-speculation against ar",
  base: "tiny",
  takes: ["steps", "questions"],
  measure,
};

async function measure(bench: Bench): Promise<Report> {
  const { base: name, steps = [1000, 3000], questions: limit = 0, threads, runs } = bench.options;
  const attention = "causal-prefix";
  const recipe = trainingOf(name, attention);
  await using runtime = await Runtime.start({ threads });
  const base = await runtime.loadBase(name, recipe.base);
  const { windowTokens, maxPromptTokens } = recipe.training;
  const window = { windowTokens, maxPromptTokens, limit };
  const questions = await base.questions(questionsOf("heldout"), window);
  const asked = { questions, attention } as const;
  const measured: Measured[] = [];
  for (const count of steps) {
    const adapter = await adapterOf(base, recipe, count, (text) => bench.say(text));
    const rows: PolicyRow[] = [];
    for (const policy of POLICIES) {
      rows.push(await rowOf(adapter, policy, asked));
      bench.say(`${count} steps: ${nameOf(policy)}, ${percent(rows.at(-1)?.exactMatch)}`);
    }
    measured.push({
      steps: count,
      rows,
      infilling: await infillingRow(base, adapter, INFILLING, asked),
      repairing: await repairingRow(base, adapter, REPAIRING, asked),
      speculative: await speculativeRow(base, adapter, speculative(), asked, runs),
    });
    await adapter.drop();
  }
  const last = measured.at(-1);
  const json = { base: name, ...last, others: measured.slice(0, -1) };
  return { json, text: measured.map(asText).join("\n\n") };
}

function asText({ steps, rows, infilling, repairing, speculative: drafted }: Measured): string {
  const { same, questions, tokensPerCheck, tokensPerForward, ceiling, ratioToAr, arTokensPerSecond } =
    drafted;
  return [
    `${steps} training steps`,
    renderTable(COLUMNS, rows),
    "",
    scatter(
      rows.map(({ policy, forwards, exactMatch }) => ({
        x: forwards,
        y: exactMatch,
        mark: MARKS[policy] ?? "?",
      })),
    ),
    `exact match against forwards: ${Object.entries(MARKS)
      .map(([policy, mark]) => `${mark} ${policy}`)
      .join(", ")}`,
    "",
    `a hidden word filled in by ${nameOf(infilling.policy)}: ${infilling.exact} of ${infilling.questions} exact,` +
      ` pins untouched in ${infilling.pinsUntouched}`,
    `two swapped words put right by ${nameOf(repairing.policy)}: ${repairing.repaired} of ${repairing.questions},` +
      ` right answers spoiled: ${repairing.spoiled}`,
    "",
    `speculative: ${same} of ${questions} answers are the base's own, ${percent(drafted.exactMatch)} exact;`,
    `  ${number(tokensPerCheck)} tokens a check, ${number(tokensPerForward)} a forward (${number(ceiling)} if every draft stood);`,
    `  ${number(ratioToAr.one)} × the tokens/s of ar (${number(arTokensPerSecond.one)}), ` +
      `eight at once ${number(ratioToAr.eight)} × (${number(arTokensPerSecond.eight)})`,
  ].join("\n");
}

const MARKS: Readonly<Record<string, string>> = {
  remask: "m",
  refine: "r",
  llada: "l",
  threshold: "t",
  editing: "e",
  revoking: "v",
  "entropy-bound": "b",
};

const COLUMNS: readonly Column<PolicyRow>[] = [
  { header: "policy", align: "left", cell: ({ settings }) => nameOf(settings) },
  { header: "exact match", cell: ({ exactMatch }) => percent(exactMatch) },
  { header: "95 %", cell: ({ interval: [low, high] }) => `${percent(low)} – ${percent(high)}` },
  { header: "forwards", cell: ({ forwards }) => number(forwards) },
  { header: "tokens/forward", cell: ({ tokensPerForward }) => number(tokensPerForward) },
  { header: "answers/s", cell: ({ answersPerSecond }) => number(answersPerSecond) },
];
