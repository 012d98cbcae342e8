/** What each change of the training is worth at the same steps: CE where most of an answer is masked, and right answers from masks alone. */
import { join } from "node:path";
import { invalidOption } from "../../sdk/src/errors.js";
import {
  type Base,
  bootstrap,
  type DataSource,
  type Estimate,
  type ExampleLoss,
  fixed,
  type Question,
  refine,
  remask,
  sweep,
  wilson,
} from "../../sdk/src/index.js";
import { number, percent } from "../../sdk/src/report/numbers.js";
import { type Column, renderTable } from "../../sdk/src/report/table.js";
import { KEPT, questionsOf } from "../decoding/adapters.js";
import type { Bench } from "../harness/bench.js";
import type { Figure } from "../harness/figure.js";
import type { Report } from "../harness/result.js";
import { sum } from "../harness/statistics.js";
import { ARMS, type Arm } from "../learning/arms.js";
import { Workers } from "../learning/workers.js";

/** The masked shares at which losses are compared. */
const SHARES = [0.75, 0.9, 1];
const POLICIES = { remask: remask({ iterations: 16 }), refine: refine({ iterations: 16 }) } as const;

/** One training of an arm, item by item. */
interface Trained {
  readonly losses: readonly { readonly nats: readonly number[]; readonly tokens: readonly number[] }[];
  readonly right: Readonly<Record<keyof typeof POLICIES, readonly boolean[]>>;
  readonly seconds: number;
}

/** An arm's trainings together. */
interface ArmRow {
  readonly arm: string;
  readonly seeds: number;
  /** At each of the masked shares, nats a masked token: the mean of the seeds, by a bootstrap over the examples. */
  readonly ce: readonly Estimate[];
  readonly right: Readonly<Record<keyof typeof POLICIES, Estimate>>;
  /** Exact match of each seed. */
  readonly each: Readonly<Record<keyof typeof POLICIES, readonly number[]>>;
}

export const ablations: Figure = {
  about: "what each change of the training is worth, at the same steps: CE under high masks, exact match",
  base: "tiny",
  takes: ["steps", "questions", "seeds", "arms", "workers"],
  measure,
};

async function measure(bench: Bench): Promise<Report> {
  const {
    base: name,
    steps: [steps = 1000] = [],
    questions: limit = 150,
    seeds = 3,
    workers: count = 1,
  } = bench.options;
  const chosen = armsNamed(bench.options.arms);
  await using workers = await Workers.start(count, bench);
  const own = chosen.some(({ ownAnswers }) => ownAnswers) ? await workers.use(ownAnswers) : undefined;
  const trained = sweep({
    axes: { arm: chosen.map((arm) => arm.name), seed: Array.from({ length: seeds }, (_, i) => i + 1) },
    concurrent: count,
    manifest: join(KEPT, `ablations-${name}-${steps}-${limit}.json`),
    spec: { steps, limit, base: name },
    retryFailed: true,
    run: (point, { signal }) =>
      workers.use(async (base) => {
        const arm = ARMS.find((each) => each.name === point.arm) as Arm;
        const questions = await base.questions(questionsOf("heldout"), { limit });
        return train(base, arm, { steps, seed: point.seed as number, questions, own, signal });
      }),
  });
  for await (const { point, status, seconds } of trained) {
    bench.say(`${point.arm}, seed ${point.seed}: ${status === "done" ? `${Math.round(seconds)} s` : status}`);
  }
  const done = (await trained.table()).flatMap((row) => (row.status === "done" ? [row] : []));
  const rows = ARMS.flatMap(({ name: arm }) => {
    const own = done.filter(({ point }) => point.arm === arm).map(({ result }) => result);
    return own.length === 0 ? [] : [rowOf(arm, own)];
  });
  return { json: { base: name, steps, questions: limit, rows }, text: renderTable(COLUMNS, rows) };
}

/** The arms in whose names one of these stands, in their order. */
function armsNamed(parts: readonly string[] = [""]): readonly Arm[] {
  const of = (part: string) => ARMS.filter(({ name }) => name.includes(part));
  const none = parts.find((part) => of(part).length === 0);
  if (none !== undefined) {
    const names = ARMS.map(({ name }) => name).join("; ");
    throw invalidOption("arm", none, "it stands in no arm's name", `There are ${names}.`);
  }
  return [...new Set(parts.flatMap(of))];
}

interface Trial {
  readonly steps: number;
  readonly seed: number;
  readonly questions: readonly Question[];
  /** The training questions with what the base itself answers to them, where an arm learns those. */
  readonly own: DataSource | undefined;
  readonly signal: AbortSignal;
}

async function train(base: Base, arm: Arm, { steps, seed, questions, own, signal }: Trial): Promise<Trained> {
  await using adapter = await base.createAdapter({ ...arm.adapter, seed, signal });
  const data = (arm.ownAnswers && own) || questionsOf("train");
  const last = Math.round(steps * (arm.last?.share ?? 0));
  const shared = { ...arm.training, data, seed, signal };
  const { seconds } = await adapter.train({ ...shared, steps: steps - last }).result();
  const more = arm.last && (await adapter.train({ ...shared, ...arm.last.training, steps: last }).result());
  const { windowTokens, padTokens, attention = "full" } = arm.training;
  const losses: { nats: number[]; tokens: number[] }[] = [];
  for (const share of SHARES) {
    const { examples } = await adapter.validate({
      data: questionsOf("heldout"),
      windowTokens,
      padTokens,
      attention,
      noise: fixed({ masked: share }),
      loss: { supervise: "corrupted-answer-tokens" },
      perExample: true,
      signal,
    });
    losses.push({ nats: examples.map(({ nats }) => nats), tokens: examples.map(({ tokens }) => tokens) });
  }
  const right = { remask: [] as boolean[], refine: [] as boolean[] };
  for (const kind of ["remask", "refine"] as const) {
    const canvases = questions.map(({ ids }) => ({ ids }));
    const sampling = { canvases, policy: POLICIES[kind], frames: false, signal };
    const answers = await adapter.sampleMany(sampling).result();
    right[kind] = answers.map(({ text }, i) => text.trim() === questions[i]?.reference.trim());
  }
  return { losses, right, seconds: seconds + (more?.seconds ?? 0) };
}

async function ownAnswers(base: Base): Promise<DataSource> {
  const folder = join(KEPT, "own-answers");
  const prompts = questionsOf("train");
  return (await base.writeAnswers({ prompts, folder, answerTokens: 40 })).data;
}

function rowOf(arm: string, own: readonly Trained[]): ArmRow {
  const kinds = ["remask", "refine"] as const;
  const of = <Value>(value: (kind: keyof typeof POLICIES) => Value) =>
    Object.fromEntries(kinds.map((kind) => [kind, value(kind)])) as Record<keyof typeof POLICIES, Value>;
  return {
    arm,
    seeds: own.length,
    ce: SHARES.map((_, at) => bootstrap(together(own, at), natsPerToken)),
    right: of((kind) => wilson(own.flatMap(({ right }) => right[kind]))),
    each: of((kind) => own.map(({ right }) => right[kind].filter(Boolean).length / right[kind].length)),
  };
}

/** Each example's sums over the seeds. */
function together(own: readonly Trained[], at: number): ExampleLoss[] {
  const [first] = own;
  return (first?.losses[at]?.nats ?? []).map((_, i) => ({
    nats: sum(own.map(({ losses }) => losses[at]?.nats[i] ?? 0)),
    tokens: sum(own.map(({ losses }) => losses[at]?.tokens[i] ?? 0)),
  }));
}

function natsPerToken(examples: readonly ExampleLoss[]): number {
  return sum(examples.map(({ nats }) => nats)) / sum(examples.map(({ tokens }) => tokens));
}

const bounds = ({ value, interval: [low, high] }: Estimate) =>
  `${number(value)} [${number(low)}, ${number(high)}]`;
const shares = ({ value, interval: [low, high] }: Estimate) =>
  `${percent(value)} [${percent(low)}, ${percent(high)}]`;

const COLUMNS: readonly Column<ArmRow>[] = [
  { header: "arm", align: "left", cell: ({ arm }) => arm },
  { header: "seeds", cell: ({ seeds }) => String(seeds) },
  ...SHARES.map(
    (share, at): Column<ArmRow> => ({
      header: `CE, ${percent(share)} masked`,
      cell: ({ ce }) => (ce[at] === undefined ? "" : bounds(ce[at])),
    }),
  ),
  { header: "right, remask 16", cell: ({ right }) => shares(right.remask) },
  { header: "right, refine 16", cell: ({ right }) => shares(right.refine) },
];
