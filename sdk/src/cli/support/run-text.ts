/** A run and its events as lines to read. */
import { stringify } from "yaml";
import type { RunEvent, RunInfo, RunSpecification } from "../../index.js";
import { number } from "../../report/index.js";

/** What is known of a run, a line for each thing; below it how it was specified, as YAML. */
export function runText(info: RunInfo, specification?: RunSpecification): string {
  const { id, kind, state, baseName, adapterId, checkpoint, created, ...run } = info;
  const { steps, totalSteps, metricsPath, error } = run;
  const known: readonly (readonly [string, string])[] = [
    ["id", id],
    ["kind", kind],
    ["state", state],
    ["base", baseName],
    ["adapter", adapterId],
    ["checkpoint", checkpoint],
    ["steps", totalSteps > 0 ? `${steps} of ${totalSteps}` : ""],
    ["started", created.toISOString()],
    ["losses", metricsPath],
    ["error", error?.message ?? ""],
  ];
  const lines = known
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.padEnd(12)}${value}`)
    .join("\n");
  return specification === undefined ? lines : `${lines}\n\n${stringify(specification).trimEnd()}`;
}

/** An event as a line; undefined for those that a bar draws: steps and frames. */
export function eventText(event: RunEvent): string | undefined {
  switch (event.type) {
    case "started":
      return `started: ${event.data.kept} examples, ${number(event.trainableParameters)} trained numbers`;
    case "validation":
      return `validation after ${event.step} steps: CE ${number(event.report.corruptedCe)} nats a corrupted token`;
    case "checkpoint":
      return `checkpoint ${event.name} after ${event.step} steps`;
    case "paused":
    case "resumed":
    case "interrupted":
      return `${event.type} after ${event.steps} steps`;
    case "cancelled":
      return `cancelled after ${event.steps} steps or iterations`;
    case "finished":
      return `finished: ${event.steps} steps in ${Math.round(event.seconds)} s`;
    case "answer":
      return `answer ${event.canvas + 1}, after ${event.iterations} forwards: ${event.text}`;
    case "sampled":
      return `sampled: ${event.canvases} answers in ${number(event.seconds)} s`;
    case "failed":
      return `failed: ${event.error.message}`;
    case "step":
    case "frame":
      return undefined;
  }
}
