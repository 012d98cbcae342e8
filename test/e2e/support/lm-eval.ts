/** Runs the real lm-eval with the model `lad` on a task of our own, against a running worker. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { requireRuntime } from "../../../sdk/src/setup/locate.js";

/** What the harness wrote of one item. */
export interface Sample {
  readonly doc_id: number;
  readonly acc?: number;
  readonly acc_norm?: number;
  readonly acc_bytes?: number;
  readonly resps: readonly (readonly unknown[])[];
  readonly filtered_resps: readonly unknown[];
  readonly arguments: Record<string, Record<string, unknown>>;
}

export interface HarnessRun {
  /** The figures of the task, by metric and filter. */
  readonly results: Readonly<Record<string, number>>;
  /** One an item, in order. */
  readonly samples: readonly Sample[];
}

/** The task `name`: a YAML file beside the rows that it reads. */
export function writeTask(folder: string, name: string, rows: readonly object[], yaml: string): void {
  mkdirSync(folder, { recursive: true });
  const data = join(folder, `${name}.jsonl`);
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const source = `task: ${name}\ndataset_path: json\ndataset_kwargs:\n  data_files:\n    test: ${data}\ntest_split: test\n`;
  writeFileSync(join(folder, `${name}.yaml`), source + yaml);
}

/** `python -m lad_lm_eval --model … --tasks <name>`. */
export async function runHarness(
  folder: string,
  name: string,
  model: string,
  args: Readonly<Record<string, string | number>>,
  flags: readonly string[] = [],
): Promise<HarnessRun> {
  const { python, runtimeFolder } = requireRuntime();
  const out = join(folder, `out-${name}-${readdirSync(folder).length}`);
  const given = Object.entries(args).map(([key, value]) => `${key}=${value}`);
  const words = ["--model", model, "--model_args", given.join(","), "--tasks", name];
  const rest = ["--include_path", folder, "--output_path", out, "--log_samples", ...flags];
  const offline = { HF_HUB_OFFLINE: "1", HF_DATASETS_OFFLINE: "1", HF_HOME: join(folder, "hf") };
  const env = { PYTHONPATH: runtimeFolder, OMP_NUM_THREADS: "1", PYTHONWARNINGS: "ignore", ...offline };
  await execa(python, ["-m", "lad_lm_eval", ...words, ...rest], { env });
  const files = readdirSync(out, { recursive: true, encoding: "utf8" });
  const read = (start: string) =>
    readFileSync(join(out, files.find((file) => file.split("/").at(-1)?.startsWith(start)) ?? ""), "utf8");
  const { results } = JSON.parse(read("results")) as { results: Record<string, Record<string, number>> };
  const samples = read("samples")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Sample);
  return { results: results[name] ?? {}, samples: samples.sort((a, b) => a.doc_id - b.doc_id) };
}

/** ARC's task, as the harness has it. */
export const ARC_TASK = `output_type: multiple_choice
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{choices.label.index(answerKey)}}"
doc_to_choice: "{{choices.text}}"
metric_list:
  - metric: acc
  - metric: acc_norm
  - metric: acc_bytes
`;

/** A question that is answered with text, up to the end of its line. */
export const QUESTION_TASK = `output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs:
  until: ["\\n", "zz"]
  max_gen_toks: 6
metric_list:
  - metric: exact_match
`;
