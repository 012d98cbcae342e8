/** What requests have to look like. How something is sampled is checked by the SDK, which says what is wrong with it. */
import type { HonoRequest } from "hono";
import { z } from "zod";
import { textOf } from "../http/body.js";
import { LadError, type SamplingState } from "../index.js";
import type { KeepRequest, NoiseRequest, SampleRequest, TrainingRequest } from "./messages.js";

const MOST_CHARACTERS = 20_000;
const MOST_DRAWS = 1000;

const text = (what: string) => z.string().min(1, `${what} is empty.`).max(MOST_CHARACTERS);
const level = z.number().min(0).max(1);
const whole = z.int().min(0);

export const textRequest = z.strictObject({ text: text("The text") });

export const sampleRequest: z.ZodType<SampleRequest> = z.strictObject({
  model: z.string().min(1),
  question: text("The question"),
  policy: z.looseObject({ kind: z.string() }) as unknown as z.ZodType<SampleRequest["policy"]>,
  seed: whole,
  answerTokens: whole.optional(),
  temperature: z.number().optional(),
  draft: text("The draft").optional(),
  answer: z.array(z.unknown()).optional() as unknown as z.ZodType<SampleRequest["answer"]>,
  from: z.looseObject({ ids: z.array(z.int()) }).optional() as unknown as z.ZodType<
    SamplingState | undefined
  >,
  strength: z.number().optional(),
});

export const noiseRequest: z.ZodType<NoiseRequest> = z.strictObject({
  text: text("The text"),
  masked: level,
  swapped: level,
  duplicated: level,
  shifted: level,
  seed: whole,
  draws: z.int().min(1).max(MOST_DRAWS),
});

export const trainingRequest: z.ZodType<TrainingRequest> = z.strictObject({
  rank: z.int().min(1),
  steps: z.int().min(1),
  seed: whole,
});

export const keepRequest: z.ZodType<KeepRequest> = z.strictObject({ name: text("The name") });

/**
 * A request's body.
 *
 * @throws LadError `invalid-option`
 */
export async function bodyOf<Body>(request: HonoRequest, schema: z.ZodType<Body>) {
  const given = parsed(await textOf(request));
  const { data, error } = schema.safeParse(given);
  if (data !== undefined) return data;
  const [issue] = error?.issues ?? [];
  const path = issue?.path.join(".") || "body";
  throw new LadError("invalid-option", `${path}: ${issue?.message ?? "it is no JSON object"}`, {
    option: path,
  });
}

/** Undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
