/** The report of an experiment: how its adapters learnt, and what their answers are worth. */
import { measures } from "../../evaluation/measures/measures.js";
import type { Experiment, ExperimentSampling } from "../../options/experiment.js";
import { frontierChart, lineChart } from "../../report/parts/chart.js";
import type { FigureForm } from "../../report/parts/figure.js";
import type { ReportSection } from "../../report/parts/section.js";
import { Report } from "../../report/report.js";
import type { ExperimentResult, StepLosses } from "../experiment-result.js";
import {
  type DoneRow,
  doneRows,
  failures,
  overAxes,
  type PointFigure,
  type PointRow,
  pointColumns,
  pointName,
} from "./points.js";

/** What an experiment's report is made of. */
export interface ReportedExperiment {
  readonly experiment: Experiment;
  readonly axes: Readonly<Record<string, unknown>>;
  readonly rows: readonly PointRow<ExperimentResult>[];
  /** As `experimentSpec` finds it. */
  readonly spec: unknown;
  readonly versions: Readonly<Record<string, string | number>>;
}

type Done = DoneRow<ExperimentResult>;

export function experimentReport({ experiment, axes, rows, spec, versions }: ReportedExperiment): Report {
  const { name } = experiment;
  const report = new Report({
    title: name ?? "Experiment",
    configuration: { ...(spec as object), sweep: { axes } },
    versions,
    seeds: seedsOf(spec),
    data: dataOf(spec),
  });
  const names = Object.keys(axes);
  const done = doneRows(rows);
  const samplers = samplerNames(experiment.evaluation?.sampling ?? []);
  learning(report.section("Training"), names, done);
  if (samplers.length > 0) answering(report.section("Answers"), names, done, samplers);
  overAxes(report, names, done, [VALIDATION_CE, ...samplers.flatMap(figuresOfSampler)]);
  failures(report, names, rows);
  return report;
}

const VALIDATION_CE: PointFigure<ExperimentResult> = {
  label: "validation CE of corrupted tokens",
  unit: "nats",
  of: ({ validation }) => validation?.corruptedCe,
};

function learning(section: ReportSection, axes: readonly string[], done: readonly Done[]): void {
  section.table({
    title: "Adapters",
    columns: [
      ...pointColumns<Done>(axes),
      { header: "steps", value: ({ result }) => result.training.steps },
      { header: "trainable", value: ({ result }) => result.adapter.parameterCount },
      {
        header: "validation CE of corrupted tokens",
        unit: "nats",
        value: ({ result }) => result.validation?.corruptedCe,
      },
      {
        header: "of their content",
        unit: "nats",
        value: ({ result }) => result.validation?.corruptedContentCe,
      },
      { header: "of all supervised", unit: "nats", value: ({ result }) => result.validation?.ce },
      { header: "lowest validation CE", unit: "nats", value: ({ result }) => result.training.best?.ce },
      { header: "after steps", value: ({ result }) => result.training.best?.step },
      { header: "tokens/s", value: ({ result }) => result.training.tokensPerSecond },
      { header: "training", form: "duration", value: ({ result }) => result.training.seconds },
    ],
    rows: done,
  });
  curve(section, "Loss over training", done, ({ losses }) => losses);
  curve(section, "Validation over training", done, ({ validations }) => validations);
}

/** CE of corrupted tokens over the steps, a line a point; nothing where there are none. */
function curve(
  section: ReportSection,
  title: string,
  done: readonly Done[],
  of: (result: ExperimentResult) => readonly StepLosses[],
): void {
  const series = done.map(({ point, result }) => ({
    name: pointName(point),
    points: of(result).map(({ step, corruptedCe }) => ({ x: step, y: corruptedCe })),
  }));
  if (series.every(({ points }) => points.length === 0)) return;
  section.plot(
    lineChart({ title, x: { label: "step" }, y: { label: "CE of corrupted tokens", unit: "nats" }, series }),
  );
}

interface AnswersRow extends Done {
  readonly sampler: string;
  /** Undefined where a point has fewer evaluations than there are samplers. */
  readonly evaluation: ExperimentResult["evaluations"][number] | undefined;
}

function answering(
  section: ReportSection,
  axes: readonly string[],
  done: readonly Done[],
  samplers: readonly string[],
): void {
  const rows = done.flatMap((row): AnswersRow[] =>
    samplers.map((sampler, i) => ({ ...row, sampler, evaluation: row.result.evaluations[i] })),
  );
  section.table({
    title: "Every way of sampling",
    about: "Each figure with its 95 % interval.",
    columns: [
      ...pointColumns<AnswersRow>(axes),
      { header: "policy", value: ({ sampler }) => sampler },
      ...measureNames().map((name) => ({
        header: measures[name].label,
        ...writtenAs(measures[name].unit),
        value: ({ evaluation }: AnswersRow) => evaluation?.[name],
      })),
    ],
    rows,
  });
  const points = rows.flatMap(({ point, sampler, evaluation }) => {
    if (evaluation === undefined || Number.isNaN(evaluation.exactMatch.value)) return [];
    if (sampler.endsWith(BASES_OWN)) return []; // a figure of speed
    const { forwards, exactMatch } = evaluation;
    return [{ label: `${sampler}, ${pointName(point)}`, series: sampler, x: forwards.value, y: exactMatch }];
  });
  if (points.length < 2) return;
  section.plot(
    frontierChart({
      title: "Exact match against forwards",
      about: "Up and to the left is better. The dotted line joins what nothing cheaper reaches.",
      x: { label: "forwards an answer" },
      y: { label: "exact match", form: "percent" },
      points,
    }),
  );
}

/** Every measure of a sampler's answers. */
function figuresOfSampler(sampler: string, index: number): PointFigure<ExperimentResult>[] {
  return measureNames().map((name) => ({
    label: `${measures[name].label}, ${sampler}`,
    ...writtenAs(measures[name].unit),
    of: ({ evaluations }) => evaluations[index]?.[name],
  }));
}

function measureNames(): (keyof typeof measures)[] {
  return Object.keys(measures) as (keyof typeof measures)[];
}

/** Shares are written in percent, and what counts the thing that it is named after needs no unit. */
function writtenAs(unit: string): { form?: FigureForm; unit?: string } {
  return unit === "share" ? { form: "percent" } : { unit };
}

/** What is said of a policy whose answers are not the adapter's. */
const BASES_OWN = ", the base's own answers";

/** `remask, 16 iterations`; samplers that are called alike are numbered. */
function samplerNames(sampling: readonly ExperimentSampling[]): string[] {
  const names = sampling.map(({ policy = "remask" }) => {
    const { kind, iterations } = (typeof policy === "string" ? { kind: policy } : policy) as NamedPolicy;
    if (kind === "speculative") return kind + BASES_OWN;
    return iterations === undefined ? kind : `${kind}, ${iterations} iterations`;
  });
  return names.map((name, i) =>
    names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${i + 1})`,
  );
}

interface NamedPolicy {
  readonly kind: string;
  readonly iterations?: number;
}

/** The seeds that a spec has, by their paths. */
function seedsOf(spec: unknown, path = ""): Record<string, number | bigint> {
  if (typeof spec !== "object" || spec === null) return {};
  const found = Object.entries(spec).map(([key, value]: [string, unknown]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const isSeed = key === "seed" && (typeof value === "number" || typeof value === "bigint");
    return isSeed ? { [at]: value } : seedsOf(value, at);
  });
  return Object.assign({}, ...found) as Record<string, number | bigint>;
}

/** The data sets of a spec, which has their digests in place of their paths. */
function dataOf(spec: unknown) {
  const { training, evaluation } = spec as Readonly<Record<"training" | "evaluation", Spec | undefined>>;
  const sets = {
    training: training?.data,
    validation: training?.validation?.data,
    evaluation: evaluation?.data,
  };
  return Object.entries(sets).flatMap(([name, data]) =>
    data === undefined ? [] : [{ name, sha256: data.sha256 }],
  );
}

interface Spec {
  readonly data?: { readonly sha256: string };
  readonly validation?: { readonly data?: { readonly sha256: string } };
}
