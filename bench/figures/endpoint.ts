/**
 * 100 chats streamed at once through `lad serve --openai`: whether all complete, when their first deltas come against one alone, what the
 * endpoint adds to the SDK's own latency, and whether its memory stays.
 */
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { execa } from "execa";
import { type Base, Runtime } from "../../sdk/src/index.js";
import { root } from "../../sdk/tools/checkout.js";
import type { Bench } from "../harness/bench.js";
import { conditionsOf } from "../harness/conditions.js";
import type { Figure } from "../harness/figure.js";
import { number, type Outcome } from "../harness/result.js";
import { median, percentile, spread } from "../harness/statistics.js";
import { childOf, resident } from "../sides/resident.js";

const STREAMS = 100;
const TOKENS = 32;
const WARMUPS = 2;
/** One after another, for the times of one alone. */
const ALONE = 20;
const DEFAULT_MINUTES = 1;

/** A round: 95th percentiles of the first deltas, and what else was seen. */
interface Point {
  readonly aloneMs: number;
  readonly togetherMs: number;
  /** Of as many runs of the SDK at once, without the endpoint. */
  readonly sdkTogetherMs: number;
  readonly addedMs: number;
  readonly completed: number;
  /** Resident, of the process that serves. */
  readonly mebibytes: number;
  /** Of its worker. */
  readonly workerMebibytes: number;
}

interface Served {
  readonly url: string;
  readonly token: string;
  readonly base: Base;
}

export const endpoint: Figure = {
  about: `${STREAMS} chats streamed at once over HTTP, against one alone; what the endpoint adds to the SDK`,
  base: "stub",
  takes: ["minutes"],

  async measure(bench: Bench): Promise<Outcome> {
    const { base: name, threads } = bench.options;
    const words = [
      "serve",
      "--openai",
      "--port",
      "0",
      "--base",
      name,
      "--threads",
      String(threads),
      "--json",
    ];
    const serving = execa(process.execPath, ["--import", "tsx", "sdk/src/cli/main.ts", ...words], {
      cwd: root,
      env: { LAD_HOME: join(bench.shared.scratch, "home") },
      reject: false,
      buffer: false,
    });
    try {
      const told = await announced(serving);
      await using runtime = await Runtime.start({ ...told.connection, onWarning: () => {} });
      const served = { ...told.endpoint, base: await runtime.loadBase(name) };
      return await measured(bench, served, serving.pid);
    } finally {
      serving.kill("SIGINT");
      await serving;
    }
  },
};

async function measured(bench: Bench, served: Served, pid: number | undefined): Promise<Outcome> {
  const minutes = bench.options.minutes ?? DEFAULT_MINUTES;
  const points: Point[] = [];
  const begun = performance.now();
  for (let round = -WARMUPS; round < 0 || performance.now() - begun < 60_000 * minutes; round++) {
    const alone = [];
    const added = [];
    for (let i = 0; i < ALONE; i++) {
      alone.push(await streamed(served));
      const direct = await sampled(served);
      added.push((await completed(served)) - direct);
    }
    const together = await Promise.all(Array.from({ length: STREAMS }, () => streamed(served)));
    const direct = await Promise.all(Array.from({ length: STREAMS }, () => sampledFirst(served)));
    const point = {
      aloneMs: percentile(
        alone.map(({ firstMs }) => firstMs),
        0.95,
      ),
      togetherMs: percentile(
        together.map(({ firstMs }) => firstMs),
        0.95,
      ),
      sdkTogetherMs: percentile(direct, 0.95),
      addedMs: median(added),
      completed: together.filter(({ isDone }) => isDone).length,
      mebibytes: mebibytesOf(await resident(pid)),
      workerMebibytes: mebibytesOf(await resident(await childOf(pid))),
    };
    const text = `first delta ${number(point.aloneMs)} ms alone, ${number(point.togetherMs)} ms of ${STREAMS} (the SDK's ${number(point.sdkTogetherMs)} ms)`;
    bench.say(
      `${text}; ${point.completed} completed; adds ${number(point.addedMs)} ms; ` +
        `${number(point.mebibytes)} MiB, its worker ${number(point.workerMebibytes)} MiB`,
    );
    if (round >= 0) points.push(point);
  }
  const of = (key: keyof Point) => points.map((point) => point[key]);
  const [memory, workerMemory] = [of("mebibytes"), of("workerMebibytes")];
  return {
    result: {
      unit: "ms",
      ours: {
        ...spread(of("togetherMs")),
        sdkTogetherMs: spread(of("sdkTogetherMs")),
        addedMs: spread(of("addedMs")),
        mebibytes: spread(memory),
        workerMebibytes: spread(workerMemory),
      },
      reference: { ...spread(of("aloneMs")) },
      ratio: median(points.map(({ aloneMs, togetherMs }) => aloneMs / togetherMs)),
      runs: points,
      conditions: await conditionsOf(
        bench,
        {},
        { streams: STREAMS, tokens: TOKENS, minutes, reference: "one alone" },
      ),
    },
    notes: [
      `${of("completed").reduce((sum, one) => sum + one, 0)} of ${STREAMS * points.length} streams completed; the endpoint adds ` +
        `${number(median(of("addedMs")))} ms to the SDK's answer`,
      `it held ${halves(memory)}; its worker ${halves(workerMemory)}`,
    ],
  };
}

function mebibytesOf(bytes = Number.NaN): number {
  return bytes / 2 ** 20;
}

/** The medians of the first and the second half of the rounds: equal where memory stays. */
function halves(mebibytes: readonly number[]): string {
  const middle = Math.ceil(mebibytes.length / 2);
  const [first, second] = [mebibytes.slice(0, middle), mebibytes.slice(middle)];
  const most = number(Math.max(...mebibytes));
  return `${number(median(first))} MiB in the first half of the rounds and ${number(median(second))} MiB in the second, ${most} MiB at most`;
}

function body({ base }: Served, stream: boolean): string {
  const messages = [{ role: "user", content: "Name it." }];
  return JSON.stringify({ model: base.name, messages, max_tokens: TOKENS, stream });
}

async function streamed(served: Served): Promise<{ firstMs: number; isDone: boolean }> {
  const started = performance.now();
  const response = await post(served, true);
  let [text, firstMs] = ["", Number.NaN];
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes as Uint8Array, { stream: true });
    if (Number.isNaN(firstMs) && /"content":"[^"]/.test(text)) firstMs = performance.now() - started;
  }
  return { firstMs, isDone: text.endsWith("data: [DONE]\n\n") };
}

async function completed(served: Served): Promise<number> {
  const started = performance.now();
  await (await post(served, false)).json();
  return performance.now() - started;
}

async function sampled({ base }: Served): Promise<number> {
  const started = performance.now();
  await base.sample({ messages: "Name it.", policy: "ar", answerTokens: TOKENS }).result();
  return performance.now() - started;
}

/** How long the first token of an answer takes that the SDK streams. */
async function sampledFirst({ base }: Served): Promise<number> {
  const started = performance.now();
  let firstMs = Number.NaN;
  for await (const _ of base.sample({ messages: "Name it.", policy: "ar", answerTokens: TOKENS })) {
    if (Number.isNaN(firstMs)) firstMs = performance.now() - started;
  }
  return firstMs;
}

function post(served: Served, stream: boolean): Promise<Response> {
  const headers = { authorization: `Bearer ${served.token}`, "content-type": "application/json" };
  return fetch(`${served.url}/chat/completions`, { method: "POST", headers, body: body(served, stream) });
}

async function announced({ stdout }: { readonly stdout: Readable }) {
  const [line] = (await once(stdout, "data")) as [Buffer]; // a line is written at once
  stdout.resume();
  const { address, token, endpoint } = JSON.parse(line.toString()) as {
    address: string;
    token: string;
    endpoint: { url: string; token: string };
  };
  return { connection: { address, token }, endpoint };
}
