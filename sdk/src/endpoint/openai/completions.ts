/** `POST /v1/completions` */
import type { Context } from "hono";
import { z } from "zod";
import { fields, integer, list, text } from "../../checks/fields.js";
import { invalidOption } from "../../errors.js";
import type { Finished } from "../asking/answering.js";
import { type BodyRules, readBody } from "../asking/body.js";
import type { TokenLogprob } from "../asking/logprobs.js";
import type { AskedPrompt, Question } from "../asking/question.js";
import type { Begun, Desk } from "../desk.js";
import { eventStream } from "../event-stream.js";
import { choiceStream, type ToldChoices } from "./choice-stream.js";
import { openAIFailure } from "./errors.js";
import { choicesShape, commonShape, IGNORED, REFUSED } from "./fields.js";
import { finishReason, headOf, usageOf } from "./usage.js";

const PROMPT = "a text, token ids, or a list of either";
const ids = list(integer(0), PROMPT);
const prompt = z.union(
  [
    text().transform((one): AskedPrompt[] => [{ text: one }]),
    ids.transform((one): AskedPrompt[] => [{ ids: one }]),
    list(text(), PROMPT, 128).transform((all) => all.map((one): AskedPrompt => ({ text: one }))),
    list(ids, PROMPT, 128).transform((all) => all.map((one): AskedPrompt => ({ ids: one }))),
  ],
  { error: PROMPT },
);
const schema = fields({
  ...commonShape,
  ...choicesShape,
  prompt,
  logprobs: integer(0, 5).optional(),
  best_of: integer(1, 128).optional(),
});
const RULES: BodyRules<typeof schema> = { schema, ignored: IGNORED, refused: REFUSED };
type Body = z.output<typeof schema>;

export async function completions(context: Context, desk: Desk): Promise<Response> {
  const body = await readBody(context, RULES);
  const begun = await desk.begin(context, questionOf(body));
  if (body.stream) return eventStream(context, chunks(body, begun), desk.ends(openAIFailure));
  const answers = await desk.answers(begun);
  return context.json({
    ...headOf("cmpl", "text_completion", body.model, begun),
    choices: answers.map((answer, index) => choice(index, answer.text, answer)),
    usage: usageOf(begun, answers),
  });
}

function questionOf(body: Body): Question {
  if (body.best_of !== undefined && body.best_of !== body.n) {
    throw invalidOption("best_of", body.best_of, `n is ${body.n}, and all answers are returned`, "Give n.");
  }
  return {
    model: body.model,
    prompts: body.prompt,
    n: body.n,
    maxTokens: body.max_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    stop: body.stop,
    seed: body.seed,
    logprobs: body.logprobs !== undefined,
    topLogprobs: body.logprobs,
    stream: body.stream,
    extras: body,
  };
}

function chunks(body: Body, begun: Begun) {
  const head = headOf("cmpl", "text_completion", body.model, begun);
  return choiceStream(head, begun, TOLD, body.stream_options?.include_usage === true);
}

const TOLD: ToldChoices = {
  delta: choice,
  finished: (index, answer) => [choice(index, "", answer)],
};

function choice(index: number, written: string, answer?: Finished) {
  return {
    index,
    text: written,
    logprobs: answer?.logprobs === undefined ? null : logprobsOf(answer.logprobs),
    finish_reason: answer === undefined ? null : finishReason(answer),
  };
}

function logprobsOf(tokens: NonNullable<Finished["logprobs"]>) {
  let offset = 0;
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.some(({ top }) => top.length > 0) ? tokens.map(topsOf) : null,
    text_offset: tokens.map(({ token }) => {
      offset += token.length;
      return offset - token.length;
    }),
  };
}

function topsOf({ top }: TokenLogprob): Record<string, number> {
  return Object.fromEntries(top.map(({ token, logprob }) => [token, logprob]));
}
