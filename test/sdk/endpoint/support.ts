/** An endpoint in this process, over a worker whose answers a test writes: its tokens are bytes, 0 ends an answer, 7 is MASK. */
import type { Hono } from "hono";
import { endpointApp } from "../../../sdk/src/endpoint/app.js";
import { Desk } from "../../../sdk/src/endpoint/desk.js";
import { Models, type ServedAdapter } from "../../../sdk/src/endpoint/models.js";
import {
  type Answer,
  type Frame,
  type SamplingState,
  StopReason,
} from "../../../sdk/src/gen/lad/v1/sampling.js";
import {
  AdaptersService,
  DataService,
  EvaluationService,
  type pb,
  RunsService,
  toFloat32Bytes,
  WorkerService,
} from "../../../sdk/src/wire.js";
import {
  baseMessage,
  EOS,
  type EventPayload,
  eventReply,
  MASK,
  type StubWorker,
  samplingRequests,
  startedReply,
  stubWorker,
} from "../support/stub-worker.js";

export const TOKEN = "a-token-of-tests";

/** What the worker writes for one canvas. */
export interface Script {
  /** The answer after each iteration, all of it final; `·` is MASK. Default: none. */
  readonly frames?: readonly string[];
  readonly text: string;
  readonly stopped?: StopReason;
  readonly stop?: string;
  /** Positions whose tokens were given. */
  readonly pinned?: readonly number[];
}

/** What a reply may hold, of whichever API. */
export interface Reply {
  readonly id: string;
  readonly status: string;
  readonly lad: { readonly policy: string; readonly seed: number };
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly message: { readonly content: string | null; readonly refusal: string | null };
    readonly logprobs: { readonly content: readonly object[] };
    readonly finish_reason: string;
  }[];
  readonly usage: Readonly<Record<string, number>>;
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly param: string;
    readonly code: string;
  };
  readonly data: readonly { readonly id: string }[];
}

/** A response whose JSON is a reply. */
export type Replied = Omit<Response, "json"> & { json(): Promise<Reply> };

export interface TestEndpoint extends StubWorker {
  readonly app: Hono;
  readonly failures: unknown[];
  /** Asks a route; with a body it posts. */
  ask(path: string, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal): Promise<Replied>;
  /** The last request for sampling. */
  asked(): ReturnType<StubWorker["transport"]["requestsOf"]>[number] & {
    spec: { answerTokens: number; stop: string[]; frames: boolean; policy: { kind: { $case: string } } };
    canvases: { seed: bigint; begin?: SamplingState }[];
  };
}

export interface TestEndpointOptions {
  readonly aliases?: Readonly<Record<string, string>>;
  readonly adapters?: readonly ServedAdapter[];
  readonly maxAnswers?: number;
  /** Whether sampling goes on until it is cancelled. */
  readonly isEndless?: boolean;
  /** Ends all sampling. */
  readonly closing?: AbortSignal;
  /** What the base says otherwise than by default. */
  readonly base?: Parameters<typeof stubWorker>[1];
}

/** Answers the canvases of each run as the scripts say, in order; the last is for all others. */
export async function testEndpoint(
  scripts: readonly Script[],
  {
    aliases = {},
    adapters = [],
    maxAnswers = 8,
    isEndless = false,
    closing = new AbortController().signal,
    base = {},
  }: TestEndpointOptions = {},
): Promise<TestEndpoint> {
  const worker = await stubWorker([], base);
  async function* told(runId: string, events: readonly EventPayload[], signal: AbortSignal) {
    for (const [seq, event] of events.entries()) yield eventReply({ seq: BigInt(seq), time: 0, event });
    while (isEndless && !worker.cancelled.includes(runId)) {
      if (signal.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const event = { $case: "cancelled" as const, value: { steps: 0n } };
    if (isEndless) yield eventReply({ seq: 0n, time: 0, event });
  }
  worker.transport
    .onCall(WorkerService.getInfo, () => infoMessage)
    .onCall(DataService.encode, ({ texts }) => ({
      results: texts.map((text) => ({ ids: [...Buffer.from(text)] })),
    }))
    .onCall(DataService.decode, ({ sequences }) => ({ texts: sequences.map(({ ids }) => textOf(ids)) }))
    .onCall(EvaluationService.score, ({ items }) => ({
      scores: items.map(({ continuation }) => scoreOf(continuation?.ids ?? [])),
    }))
    .onUpload(AdaptersService.uploadAdapter, async (parts) => {
      for await (const _ of parts);
      return { adapter: adapterMessage };
    })
    .onCall(AdaptersService.dropAdapter, () => ({}))
    .onStream(RunsService.sample, async function* ({ start }, signal) {
      const { runId = "", canvases = [], spec } = start ?? {};
      const events = canvases.flatMap((_, canvas) => {
        const script = scripts[Math.min(canvas, scripts.length - 1)] ?? { text: "" };
        return eventsOf(script, canvas, spec?.frames === true);
      });
      const end = { $case: "samplingFinished" as const, value: { canvases: canvases.length, seconds: 0 } };
      yield startedReply(runId, canvases.map(promptTokensOf));
      yield* told(runId, isEndless ? [] : [...events, end], signal);
    });
  const models = new Models(worker.runtime, { bases: ["stub"], aliases, adapters: async () => adapters });
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => failures.push(error);
  const desk = new Desk(models, { maxAnswers, unreadMs: 30_000 }, closing, onFailure);
  const app = endpointApp(desk, { host: "127.0.0.1", token: TOKEN, onFailure });
  const ask: TestEndpoint["ask"] = async (path, body, headers = {}, signal) => {
    const response = await app.request(path, {
      method: body === undefined ? "GET" : "POST",
      headers: { host: "127.0.0.1:8421", authorization: `Bearer ${TOKEN}`, ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    return response as Replied;
  };
  const asked = () => samplingRequests(worker.transport).at(-1) as never;
  return { ...worker, app, failures, ask, asked };
}

/** A chat is rendered as its messages, a line each; a token a byte. */
function promptTokensOf({ prompt }: pb.sampling.Canvas): number {
  if (prompt?.$case === "ids") return prompt.value.ids.length;
  return Buffer.byteLength((prompt?.value.messages ?? []).map(({ content }) => content).join("\n"));
}

/** What a chunk of OpenAI's chat completions may hold. */
export interface Chunk {
  readonly choices: readonly {
    index: number;
    delta: { content?: string; refusal?: string };
    finish_reason: string | null;
  }[];
  readonly usage?: object;
  readonly lad?: { frame?: object };
  readonly error?: object;
}

/** The events of a stream, with their names where they have some. OpenAI's last one is left out. */
export async function eventsIn<Data = Chunk>(
  response: Pick<Response, "text">,
): Promise<{ event?: string; data: Data }[]> {
  const blocks = (await response.text()).split("\n\n").filter((block) => block !== "");
  return blocks.flatMap((block) => {
    const [, event] = /^event: (.*)$/m.exec(block) ?? [];
    const [, data = ""] = /^data: (.*)$/m.exec(block) ?? [];
    return data === "[DONE]" ? [] : [{ ...(event && { event }), data: JSON.parse(data) as Data }];
  });
}

/** The text of each delta of a chat. */
export async function contentsIn(response: Pick<Response, "text">): Promise<string[]> {
  const chunks = await eventsIn(response);
  return chunks.flatMap(({ data }) => data.choices.flatMap(({ delta }) => delta.content ?? []));
}

function eventsOf(script: Script, canvas: number, withFrames: boolean): EventPayload[] {
  const frames = withFrames ? (script.frames ?? []) : [];
  return [
    ...frames.map((text, iteration) => ({
      $case: "frame" as const,
      value: frameMessage(text, canvas, iteration, frames.length),
    })),
    { $case: "answer", value: answerMessage(script, canvas) },
  ];
}

/** Its MASKs are what is not committed. */
function frameMessage(text: string, canvas: number, iteration: number, iterations: number): Frame {
  const ids = idsOf(text);
  const masked = ids.map((id) => Number(id === MASK));
  const none = Buffer.alloc(ids.length);
  const state: SamplingState = {
    ids,
    masked: Buffer.from(masked),
    pinned: none,
    kept: none,
    confidences: toFloat32Bytes(ids.map(() => 0)),
    memory: [],
    sampled: ids,
    same: 1,
    iteration: iteration + 1,
    stopped: undefined,
    finished: 0,
    finishedIterations: 0,
    forwards: iteration + 1,
    key: undefined,
  };
  return {
    canvas,
    iteration,
    iterations,
    edits: [],
    answer: ids.map((id) => (id === MASK ? 0x3f : id)),
    masked: masked.filter(Boolean).length,
    speculation: undefined,
    state,
  };
}

function answerMessage(
  { text, stopped = StopReason.SETTLED, stop, pinned = [], frames }: Script,
  canvas: number,
): Answer {
  const ids = idsOf(text);
  return {
    canvas,
    ids,
    canvasIds: stopped === StopReason.LENGTH ? ids : [...ids, EOS],
    text,
    iterations: frames?.length ?? 3,
    stopped,
    speculation: undefined,
    pinned: [...pinned],
    stop,
  };
}

/** The bytes of a text; `·` is MASK. */
export function idsOf(text: string): number[] {
  return text
    .split("·")
    .flatMap((part, i) => (i === 0 ? [...Buffer.from(part)] : [MASK, ...Buffer.from(part)]));
}

function textOf(ids: readonly number[]): string {
  return Buffer.from(ids.filter((id) => id !== EOS && id !== MASK)).toString("utf8");
}

function scoreOf(ids: readonly number[]) {
  return {
    logLikelihood: -ids.length,
    tokenLogLikelihoods: toFloat32Bytes(ids.map((_, i) => -1 - i)),
    greedy: true,
    estimates: [],
  };
}

export const adapterMessage = {
  id: "adapter-2",
  baseId: "base-1",
  spec: { rank: 4, alpha: 4, targets: ["q_proj"], dropout: 0, seed: 0n, useRslora: false },
  parameterCount: 5n,
  bytes: 20n,
  steps: 0n,
  lastSequence: 0n,
};

const infoMessage = {
  device: "cpu",
  deviceName: "test",
  threads: 1,
  torchVersion: "",
  pythonVersion: "",
  accountedBytes: 0n,
  memoryBytes: 0n,
  bases: [baseMessage],
  adapters: [],
  memoryBudgetBytes: 0n,
  offloadedBytes: 0n,
  policies: [],
  noises: [],
};
