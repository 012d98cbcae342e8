/**
 * Answers a second at no lower exact match: our policies, eight requests at once, against lad-generic's `denoise_stream`, which answers
 * one request after another; the same adapter, prompts and canvas.
 */
import { join } from "node:path";
import {
  type Adapter,
  type Answer,
  type Base,
  editing,
  type Policy,
  type Question,
  Runtime,
  refine,
  remask,
  revoking,
  speculative,
  threshold,
} from "../../sdk/src/index.js";
import { number, percent } from "../../sdk/src/report/numbers.js";
import { type Column, renderTable } from "../../sdk/src/report/table.js";
import { type AdapterRecipe, adapterOf, questionsOf, trainingOf } from "../decoding/adapters.js";
import { isRight, timed } from "../decoding/answers.js";
import { nameOf } from "../decoding/policy-name.js";
import {
  type AnsweredRound,
  type Comparison,
  type Contender,
  compare,
  type QualityRow,
  rowOf,
} from "../decoding/quality.js";
import type { Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import { type Figure, LAD_GENERIC } from "../harness/figure.js";
import type { Report } from "../harness/result.js";
import type { Side } from "../harness/side.js";

const TOGETHER = 8;
/** lad-generic denoises with full attention. */
const ATTENTION = "full";

const POLICIES: readonly Policy[] = [
  ...[1, 2, 3].map((iterations) => refine({ iterations })),
  ...[4, 16, 32].map((iterations) => remask({ iterations })),
  ...[16, 32].map((iterations) => remask({ iterations, schedule: "linear" })),
  ...[2, 3, 32].map((iterations) => threshold({ iterations })),
  ...[2, 3, 4, 32].map((iterations) => editing({ iterations })),
  ...[2, 3, 32].map((iterations) => revoking({ iterations })),
];

/** Settings of `denoise_stream`: greedy from an empty canvas, that with its early stop, and the defaults of its demo. */
const GREEDY = { steps: 32, noiseLevel: 1, temperature: 0, topK: 1, earlyStopping: false };
const REFERENCES = {
  greedy: GREEDY,
  "greedy, early stop": { ...GREEDY, earlyStopping: true },
  demo: { ...GREEDY, noiseLevel: 0.5, temperature: 0.7, topK: 20 },
};

interface Measured {
  /** Training steps of the adapter. */
  readonly steps: number;
  readonly reference: readonly QualityRow[] | null;
  readonly rows: readonly QualityRow[];
  /** It has the base check each token. */
  readonly speculative: QualityRow;
  /** With each setting of the reference. */
  readonly comparisons: readonly Comparison[];
}

export const answersAtQuality: Figure = {
  about: "answers/s at no lower exact match, eight at once, against RuurdKuiper/lad-generic",
  base: "tiny",
  takes: ["steps", "questions"],
  against: LAD_GENERIC,
  measure,
};

async function measure(bench: Bench): Promise<Report> {
  const { base: name, steps = [1000], questions: limit = 0, threads } = bench.options;
  const recipe = trainingOf(name, ATTENTION);
  await using runtime = await Runtime.start({ threads, stateFolder: join(bench.scratch, "worker") });
  const base = await runtime.loadBase(name, recipe.base);
  const { windowTokens, maxPromptTokens } = recipe.training;
  const window = { windowTokens, maxPromptTokens };
  const asked = await base.questions(questionsOf("heldout"), { ...window, limit });
  const warmUp = await base.questions(questionsOf("train"), { ...window, limit: TOGETHER });
  const rounds = [warmUp, ...inRounds(asked)];
  const measured: Measured[] = [];
  for (const count of steps) measured.push(await measuredAfter(bench, base, recipe, count, rounds));
  const { torchVersion: torch, pythonVersion: python } = await runtime.info();
  const facts = { parameters: base.info.parameterCount, dtype: base.info.dataType, torch, python };
  const conditions = await conditionsOf(bench, facts, {
    attention: ATTENTION,
    adapter: recipe.adapter,
    questions: asked.length,
    together: TOGETHER,
    windowTokens,
    reference: bench.options.against === undefined ? undefined : "lad-generic, one request after another",
  });
  return { json: { base: name, measured, conditions }, text: measured.map(asText).join("\n\n") };
}

function inRounds(questions: readonly Question[]): Question[][] {
  const count = Math.ceil(questions.length / TOGETHER);
  return Array.from({ length: count }, (_, round) =>
    questions.slice(round * TOGETHER, (round + 1) * TOGETHER),
  );
}

/** @param rounds - the questions of each; the first is the warm-up's */
async function measuredAfter(
  bench: Bench,
  base: Base,
  recipe: AdapterRecipe,
  steps: number,
  rounds: readonly (readonly Question[])[],
): Promise<Measured> {
  await using adapter = await adapterOf(base, recipe, steps, (text) => bench.say(text));
  const { windowTokens } = recipe.training;
  const references = await referencesOf(bench, base, adapter, windowTokens, rounds);
  const ours = [...POLICIES, speculative()].map((policy) => ({
    name: nameOf(policy),
    settings: policy,
    answer: (round: number) => answered(adapter, policy, rounds[round] ?? [], windowTokens),
  }));
  const contenders = await alternating([...references, ...ours], rounds.length, (text) =>
    bench.say(`${steps} steps: ${text}`),
  );
  const theirs = contenders.slice(0, references.length);
  const unchecked = contenders.slice(references.length, -1);
  const checked = contenders.at(-1) as Contender;
  return {
    steps,
    reference: theirs.length > 0 ? theirs.map(rowOf) : null,
    rows: unchecked.map(rowOf),
    speculative: rowOf(checked),
    comparisons: theirs.map((each) => compare(unchecked, each)),
  };
}

interface Answering {
  readonly name: string;
  readonly settings: object;
  readonly answer: (round: number) => Promise<AnsweredRound>;
}

/** All of them answer the questions of a round before those of the next are asked. */
async function alternating(
  answering: readonly Answering[],
  rounds: number,
  say: (text: string) => void,
): Promise<Contender[]> {
  const contenders = answering.map(({ name, settings }) => ({
    name,
    settings,
    rounds: [] as AnsweredRound[],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, { answer }] of answering.entries()) {
      const answers = await answer(round);
      if (round > 0) contenders[index]?.rounds.push(answers);
    }
    say(round === 0 ? "warm-up" : `round ${round} of ${rounds - 1}`);
  }
  return contenders;
}

/** Prompt and answer fill the windows of the training, on both sides. */
async function answered(
  adapter: Adapter,
  policy: Policy,
  questions: readonly Question[],
  windowTokens: number,
): Promise<AnsweredRound> {
  const { answers, seconds } = await timed(adapter, policy, questions, { attention: ATTENTION });
  requireFilled(answers, questions, windowTokens);
  return {
    seconds,
    right: answers.map(({ text }, i) => isRight(text, questions[i]?.reference)),
    forwards: answers.reduce((sum, { iterations }) => sum + iterations, 0),
  };
}

/** Throws where canvases are not those that the reference gets: their times could not be compared. Speculation ends with the answer. */
function requireFilled(
  answers: readonly Answer[],
  questions: readonly Question[],
  windowTokens: number,
): void {
  for (const [index, { canvasIds, speculation }] of answers.entries()) {
    const wanted = windowTokens - (questions[index]?.ids.length ?? 0);
    if (speculation === undefined && canvasIds.length !== wanted) {
      throw new Error(`A canvas has ${canvasIds.length} tokens in place of ${wanted}.`);
    }
  }
}

/** None where ours runs alone. */
async function referencesOf(
  bench: Bench,
  base: Base,
  adapter: Adapter,
  windowTokens: number,
  rounds: readonly (readonly Question[])[],
): Promise<Answering[]> {
  const { against } = bench.options;
  if (against === undefined) return [];
  const folder = join(bench.scratch, "adapters", adapter.id);
  await adapter.save(folder);
  const side = bench.reference("lad_generic_answers");
  await side.load({ ...bench.shared, against, adapter: folder, maskToken: base.info.maskToken });
  await side.prepare({ turns: rounds.map((questions) => questions.map(({ ids }) => ids)), windowTokens });
  return Object.entries(REFERENCES).map(([name, settings]) => ({
    name,
    settings,
    answer: (round) => referenceRound(side, settings, round, rounds[round] ?? []),
  }));
}

async function referenceRound(
  side: Side,
  settings: object,
  turn: number,
  questions: readonly Question[],
): Promise<AnsweredRound> {
  const { seconds, texts = [], forwards = Number.NaN } = await side.run({ turn, settings });
  return { seconds, right: questions.map((question, i) => isRight(texts[i], question.reference)), forwards };
}

function asText({ steps, reference, rows, speculative: checked, comparisons }: Measured): string {
  const sides = [
    ...(reference ?? []).map((row) => ({ ...row, side: "lad-generic" })),
    ...rows.map((row) => ({ ...row, side: "ours" })),
    { ...checked, side: "ours, with the base's check" },
  ];
  return [`${steps} training steps`, renderTable(COLUMNS, sides), ...comparisons.map(inWords)].join("\n");
}

function inWords({ reference, ours }: Comparison): string {
  if (ours === null) return `lad-generic, ${reference}: none of ours has its exact match`;
  const { median, min, max } = ours.ratio;
  return (
    `lad-generic, ${reference}: ${ours.name} gives ${number(median)} × (${number(min)}–${number(max)}) its answers/s; ` +
    `right in ours alone ${ours.onlyOurs}, in the reference alone ${ours.onlyReference}`
  );
}

const COLUMNS: readonly Column<QualityRow & { side: string }>[] = [
  { header: "", align: "left", cell: ({ side }) => side },
  { header: "", align: "left", cell: ({ name }) => name },
  { header: "exact match", cell: ({ exactMatch }) => percent(exactMatch) },
  { header: "95 %", cell: ({ interval: [low, high] }) => `${percent(low)} – ${percent(high)}` },
  { header: "forwards", cell: ({ forwards }) => number(forwards) },
  { header: "answers/s", cell: ({ answersPerSecond }) => number(answersPerSecond) },
];
