/** The demo's calls, each of which needs the token. */
import { type Context, Hono } from "hono";
import {
  type Adapter,
  type Base,
  BUILD_VERSION,
  describePolicies,
  isLadError,
  LadError,
  type Recipe,
  type Runtime,
} from "../index.js";
import type { About, DemoExample, Problem } from "./messages.js";
import type { Milestones } from "./milestones.js";
import type { DemoModels } from "./models.js";
import { corruptedText } from "./noise.js";
import {
  bodyOf,
  keepRequest,
  noiseRequest,
  sampleRequest,
  textRequest,
  trainingRequest,
} from "./requests.js";
import { sampled } from "./sampling.js";
import { followed, listTrainings, startTraining, type TrainingData } from "./training.js";

/** What the calls act on. */
export interface DemoRoom {
  readonly runtime: Runtime;
  readonly base: Base;
  readonly recipe: Recipe;
  readonly models: DemoModels;
  readonly milestones: Milestones;
  readonly examples: readonly DemoExample[];
  /** Undefined where nothing is trained here. */
  readonly training: TrainingData | undefined;
  /** Keeps an adapter under a name; undefined where nothing is kept. */
  readonly keep: ((adapter: Adapter, name: string) => Promise<void>) | undefined;
  /** Aborted when the demo ends. */
  readonly ended: AbortSignal;
  /** Told of failures that no caller hears of. */
  readonly onFailure: (error: unknown) => void;
}

/** The calls below `/api`. */
export function demoRoutes(room: DemoRoom): Hono {
  const { runtime, base, recipe, models, milestones, training, keep, ended, onFailure } = room;
  const until = ({ req }: Context) => AbortSignal.any([req.raw.signal, ended]);
  return new Hono()
    .get("/about", async (context) => context.json(await aboutOf(room)))
    .get("/models", async (context) => context.json(await models.list()))
    .post("/tokens", async (context) => {
      const ids = await base.encode((await bodyOf(context.req, textRequest)).text);
      return context.json({ ids, pieces: await base.pieces(ids) });
    })
    .post("/sample", async (context) => {
      const request = await bodyOf(context.req, sampleRequest);
      const model = await models.find(request.model);
      return lines((signal) => sampled(base, model, request, signal), until(context));
    })
    .post("/noise", async (context) => {
      const request = await bodyOf(context.req, noiseRequest);
      return context.json(await corruptedText(base, request, until(context)));
    })
    .get("/runs", async (context) => context.json(await listTrainings(runtime, base)))
    .post("/runs", async (context) => {
      const request = await bodyOf(context.req, trainingRequest);
      if (training === undefined) throw nothingToLearn(base);
      const { id, adapter } = await startTraining(base, recipe, training, request);
      milestones.watch(adapter, runtime.run(id), request.steps, ended, onFailure);
      return context.json({ id });
    })
    .post("/runs/:id/keep", async (context) => {
      const { name } = await bodyOf(context.req, keepRequest);
      if (keep === undefined) throw nothingKept();
      await keep(await models.ofRun(context.req.param("id")), name);
      return context.json({});
    })
    .get("/runs/:id/events", (context) =>
      lines((signal) => followed(runtime, context.req.param("id"), signal), until(context)),
    )
    .post("/runs/:id/cancel", async (context) => {
      await runtime.run(context.req.param("id")).cancel();
      return context.json({});
    });
}

function nothingToLearn({ name }: Base): LadError {
  return new LadError("invalid-state", `The demo has no data to train ${name} on.`, {
    remedy: "Train it with `lad train`; its run is then shown here.",
  });
}

function nothingKept(): LadError {
  return new LadError("invalid-state", "This demo has no place to keep adapters in.", {
    remedy: "Serve it by `lad demo`, which keeps them in LAD_HOME.",
  });
}

async function aboutOf({
  runtime,
  base,
  recipe,
  models,
  examples,
  training,
  keep,
}: DemoRoom): Promise<About> {
  const { device, deviceName, threads } = await runtime.info();
  return {
    version: BUILD_VERSION,
    device:
      device === "cpu"
        ? `cpu (${deviceName}, ${threads} ${threads === 1 ? "thread" : "threads"})`
        : `${device} (${deviceName})`,
    baseName: base.name,
    baseDenoises: base.denoises,
    maskTokenId: base.maskTokenId,
    eosTokenId: base.eosTokenId,
    stopTokenIds: base.stopTokenIds,
    models: await models.list(),
    policies: describePolicies(),
    examples,
    answerTokens: recipe.answerTokens,
    steps: training && recipe.training.steps,
    canKeep: keep !== undefined,
  };
}

/**
 * A response of JSON lines. What goes wrong before the first is the response's status; later it is a line. A reader that goes away ends what
 * writes them.
 */
async function lines<Line extends object>(
  make: (signal: AbortSignal) => AsyncGenerator<Line>,
  asked: AbortSignal,
): Promise<Response> {
  const left = new AbortController();
  const made = make(AbortSignal.any([asked, left.signal]));
  const first = await made.next();
  const encoder = new TextEncoder();
  const encoded = (line: Line | Problem) => encoder.encode(`${JSON.stringify(line)}\n`);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (first.done) return controller.close();
      controller.enqueue(encoded(first.value));
    },
    async pull(controller) {
      try {
        const next = await made.next();
        if (next.done) return controller.close();
        controller.enqueue(encoded(next.value));
      } catch (error) {
        if (!left.signal.aborted) controller.enqueue(encoded(problemOf(error)));
        controller.close();
      }
    },
    async cancel() {
      left.abort();
      await made.return(undefined).catch(() => undefined);
    },
  });
  return new Response(body, {
    headers: { "content-type": "application/x-ndjson; charset=utf-8", "cache-control": "no-store" },
  });
}

function problemOf(error: unknown): Problem {
  if (!isLadError(error)) return { type: "error", code: "internal", message: "The demo failed." };
  return { type: "error", code: error.code, message: error.message };
}
