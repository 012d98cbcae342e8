/** A worker of canned answers behind an in-memory transport: one base, one adapter, whatever runs a test scripts. */

import type { SampleResponse, StreamEventsResponse } from "../../../sdk/src/gen/lad/v1/runs.js";
import type { StartSamplingRequest } from "../../../sdk/src/gen/lad/v1/sampling.js";
import { type Base as BaseMessage, DataType } from "../../../sdk/src/gen/lad/v1/worker.js";
import type { Adapter, Base } from "../../../sdk/src/index.js";
import { Runtime } from "../../../sdk/src/index.js";
import { InMemoryTransport } from "../../../sdk/src/testing/in-memory-transport.js";
import {
  AdaptersService,
  DataService,
  RunsService,
  SamplingService,
  TrainingService,
  WorkerService,
} from "../../../sdk/src/wire.js";

export const MASK = 7;
export const EOS = 0;

export const baseMessage: BaseMessage = {
  id: "base-1",
  name: "stub",
  revision: "r",
  parameterCount: 10n,
  bytes: 40n,
  dataType: DataType.FLOAT32,
  vocabSize: 300,
  hiddenSize: 16,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  maxPositions: 128,
  projections: ["q_proj", "k_proj", "v_proj"],
  maxRank: 16,
  maskToken: "[MASK]",
  maskTokenId: MASK,
  eosToken: "[EOS]",
  eosTokenId: EOS,
  systemPrompt: "",
  hasChatTemplate: true,
  chatTemplateDigest: "",
  compileSeconds: 0,
  stopTokens: ["[EOS]"],
  stopTokenIds: [EOS],
  warnings: [],
  kernels: [{ matrix: "qkv", kernel: "mkl", layout: "out-in" }],
};

const adapterMessage = {
  id: "adapter-1",
  baseId: "base-1",
  spec: { rank: 4, alpha: 4, targets: ["q_proj", "v_proj"], dropout: 0, seed: 0n, useRslora: false },
  parameterCount: 5n,
  bytes: 20n,
  steps: 0n,
  lastSequence: 0n,
};

export type EventPayload = NonNullable<StreamEventsResponse["event"]>;

export interface StubWorker {
  readonly transport: InMemoryTransport;
  readonly runtime: Runtime;
  readonly base: Base;
  readonly adapter: Adapter;
  readonly warnings: string[];
  /** The ids of runs that were cancelled. */
  readonly cancelled: string[];
}

/**
 * @param events - every run's, told one after another; a run that is cancelled ends with the event that says so
 * @param baseFields - what the base says otherwise than by default
 */
export async function stubWorker(
  events: readonly EventPayload[] = [],
  baseFields: Partial<BaseMessage> = {},
): Promise<StubWorker> {
  const warnings: string[] = [];
  const cancelled: string[] = [];
  const uploaded = new Set<string>();
  async function* told({ fromSeq }: { readonly fromSeq: bigint }) {
    for (let seq = Number(fromSeq); seq < events.length; seq++) {
      if (cancelled.length > 0) break;
      yield { seq: BigInt(seq), time: 0, event: events[seq] };
    }
    if (cancelled.length > 0) {
      const event = { $case: "cancelled" as const, value: { steps: 1n } };
      yield { seq: BigInt(events.length), time: 0, event };
    }
  }
  const transport = new InMemoryTransport()
    .onStream(WorkerService.loadBase, async function* () {
      yield {
        update: { $case: "progress" as const, value: { phase: "read", doneBytes: 1n, totalBytes: 2n } },
      };
      yield { update: { $case: "base" as const, value: { ...baseMessage, ...baseFields } } };
    })
    .onCall(AdaptersService.createAdapter, ({ spec }) => ({ adapter: { ...adapterMessage, spec } }))
    .onCall(AdaptersService.getAdapter, () => ({ adapter: adapterMessage }))
    .onCall(DataService.hasDataset, ({ datasetId }) => ({ found: uploaded.has(datasetId), examples: 1n }))
    .onUpload(DataService.uploadDataset, async (requests) => {
      const { createHash } = await import("node:crypto");
      const hash = createHash("sha256");
      for await (const { data } of requests) hash.update(data);
      const datasetId = hash.digest("hex");
      uploaded.add(datasetId);
      return { datasetId, examples: 1n };
    })
    .onCall(DataService.render, ({ messages }) => {
      const text = messages.map(({ content }) => content).join("\n");
      return { text, ids: [...Buffer.from(text)] };
    })
    .onCall(DataService.decode, ({ sequences }) => ({ texts: sequences.map(({ ids }) => ids.join(" ")) }))
    .onCall(TrainingService.startTraining, () => ({ runId: "run-1" }))
    .onCall(SamplingService.startSampling, () => ({ runId: "run-1", promptTokens: [] }))
    .onCall(RunsService.cancelRun, ({ runId }) => {
      cancelled.push(runId);
      return { run: undefined };
    })
    .onStream(RunsService.streamEvents, told)
    .onStream(RunsService.sample, async function* ({ start }) {
      yield startedReply("run-1", Array(start?.canvases.length).fill(3));
      for await (const event of told({ fromSeq: 0n })) yield eventReply(event);
    });
  const runtime = Runtime.over(transport, { onWarning: (message) => warnings.push(message) });
  const base = await runtime.loadBase("stub");
  const adapter = await base.createAdapter({ rank: 4 });
  return { transport, runtime, base, adapter, warnings, cancelled };
}

/** What the worker was asked to sample by calls that follow what they start. */
export function samplingRequests(transport: InMemoryTransport): StartSamplingRequest[] {
  return transport.requestsOf(RunsService.sample).map(({ start }) => start as StartSamplingRequest);
}

/** The first reply of a call that starts a run of sampling. */
export function startedReply(runId: string, promptTokens: number[]): SampleResponse {
  return { reply: { $case: "started", value: { runId, promptTokens } } };
}

export function eventReply(event: StreamEventsResponse): SampleResponse {
  return { reply: { $case: "event", value: event } };
}

export function startedEvent(warnings: string[]): EventPayload {
  const report = {
    examples: 1n,
    kept: 1n,
    dropped: 0n,
    truncated: 0n,
    promptTokens: 4n,
    answerTokens: 3n,
    tailTokens: 1n,
    specialTokens: 0n,
    maskTokens: 0n,
    endToken: "[EOS]",
    endTokenId: EOS,
  };
  return {
    $case: "trainingStarted",
    value: {
      report,
      validationReport: undefined,
      trainableParameters: 5n,
      accountedBytes: 80n,
      fromStep: 1n,
      warnings,
    },
  };
}

export function stepEvent(step: number): EventPayload {
  return {
    $case: "trainingStep",
    value: {
      step: BigInt(step),
      epoch: step / 10,
      report: lossReport(10 - step),
      gradientNorm: 1,
      learningRate: 0.1,
      seconds: 0.5,
      tokensPerSecond: 100,
    },
  };
}

export function finishedEvent(steps: number): EventPayload {
  return {
    $case: "trainingFinished",
    value: {
      steps: BigInt(steps),
      report: lossReport(1),
      validation: undefined,
      seconds: 2,
      tokensPerSecond: 100,
      best: undefined,
      stopped: 1,
    },
  };
}

export function lossReport(loss: number) {
  return {
    loss,
    ce: loss,
    contentCe: loss,
    tailCe: Number.NaN,
    corruptedCe: loss,
    corruptedContentCe: loss,
    tokens: 8n,
    supervisedTokens: 8n,
    contentTokens: 8n,
    tailTokens: 0n,
    corruptedTokens: 2n,
    corruptedContentTokens: 2n,
  };
}
