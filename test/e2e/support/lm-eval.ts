/** Runs the real lm-eval with the model `lad` on a task of our own, against a running worker. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { requireRuntime } from "../../../sdk/src/setup/locate.js";

/** One task of one model, as test/e2e/support/run_lm_eval.py takes it. */
export interface Job {
  readonly model: "lad" | "hf";
  readonly args: Readonly<Record<string, string | number>>;
  readonly task: string;
  readonly folder: string;
  readonly limit?: number;
  readonly chat?: boolean;
  readonly batch?: number;
}

/** What the harness says of one item. */
export interface Sample {
  readonly acc?: number;
  readonly acc_norm?: number;
  readonly resps: readonly (readonly unknown[])[];
  /** Of each choice its log-likelihood, and whether it is the most probable one. */
  readonly filtered_resps: readonly (readonly [number, boolean])[];
  readonly arguments: readonly (readonly unknown[])[];
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

/** Runs jobs in one process of the harness, which takes long to start, without a network. */
export async function runHarness(scratch: string, ...jobs: readonly Job[]): Promise<HarnessRun[]> {
  const { python, runtimeFolder } = requireRuntime();
  const offline = { HF_HUB_OFFLINE: "1", HF_DATASETS_OFFLINE: "1", HF_HOME: join(scratch, "hf") };
  const env = { PYTHONPATH: runtimeFolder, OMP_NUM_THREADS: "1", ...offline };
  const words = jobs.map((job) => JSON.stringify(job));
  const { stdout } = await execa(python, [join(import.meta.dirname, "run_lm_eval.py"), ...words], { env });
  const told = stdout.split("\n").filter((line) => line.startsWith('{"results"'));
  return told.map((line) => JSON.parse(line) as HarnessRun);
}

const CHOICE_METRICS = `metric_list:
  - metric: acc
  - metric: acc_norm
  - metric: acc_bytes
`;

/** ARC's task, as the harness has it. */
export const ARC_TASK = `output_type: multiple_choice
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{choices.label.index(answerKey)}}"
doc_to_choice: "{{choices.text}}"
${CHOICE_METRICS}`;

/** MMLU's task, as the harness has it of each subject. */
export const MMLU_TASK = `output_type: multiple_choice
description: "The following are multiple choice questions (with answers) about {{subject.replace('_', ' ')}}.\\n\\n"
doc_to_text: "{{question.strip()}}\\nA. {{choices[0]}}\\nB. {{choices[1]}}\\nC. {{choices[2]}}\\nD. {{choices[3]}}\\nAnswer:"
doc_to_choice: ["A", "B", "C", "D"]
doc_to_target: answer
${CHOICE_METRICS}`;

/** HellaSwag's task, as the harness has it, of rows that its own code has prepared. */
export const HELLASWAG_TASK = `output_type: multiple_choice
process_docs: !function hellaswag_rows.process
doc_to_text: "{{query}}"
doc_to_target: "{{gold}}"
doc_to_choice: "{{choices}}"
${CHOICE_METRICS}`;

/** The module that `HELLASWAG_TASK` names, for rows whose context is one column. */
export const HELLASWAG_ROWS = `from lm_eval.tasks.hellaswag.utils import preprocess


def process(rows):
    def prepared(row):
        return {
            "query": preprocess(row["activity_label"] + ": " + row["ctx"]),
            "choices": [preprocess(ending) for ending in row["endings"]],
            "gold": int(row["label"]),
        }

    return rows.map(prepared)
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
