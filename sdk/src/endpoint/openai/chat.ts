/** `POST /v1/chat/completions` */
import type { Context } from "hono";
import { z } from "zod";
import { fields, flag, integer, list } from "../../checks/fields.js";
import { invalidOption } from "../../errors.js";
import type { Finished } from "../asking/answering.js";
import { type BodyRules, readBody } from "../asking/body.js";
import type { Probable, TokenLogprob } from "../asking/logprobs.js";
import { chatOf } from "../asking/messages.js";
import type { Question } from "../asking/question.js";
import type { Begun, Desk } from "../desk.js";
import { eventStream } from "../event-stream.js";
import { choiceStream, type ToldChoices } from "./choice-stream.js";
import { openAIFailure } from "./errors.js";
import { choicesShape, commonShape, IGNORED, REFUSED } from "./fields.js";
import { shapeOfFormat } from "./formats.js";
import { finishReason, headOf, usageOf } from "./usage.js";

const schema = fields({
  ...commonShape,
  ...choicesShape,
  messages: list(z.unknown(), "a list of messages, at least one"),
  max_completion_tokens: integer(1).optional(),
  logprobs: flag().default(false),
  top_logprobs: integer(0, 20).optional(),
  response_format: z.unknown().optional(),
  modalities: z.unknown().optional(),
});
const RULES: BodyRules<typeof schema> = { schema, ignored: [...IGNORED, "modalities"], refused: REFUSED };
type Body = z.output<typeof schema>;

export async function chatCompletions(context: Context, desk: Desk): Promise<Response> {
  const body = await readBody(context, RULES);
  const begun = await desk.begin(context, questionOf(body));
  if (body.stream) return eventStream(context, chunks(body, begun), desk.ends(openAIFailure));
  const answers = await desk.answers(begun);
  return context.json({
    ...headOf("chatcmpl", "chat.completion", body.model, begun),
    choices: answers.map((answer, index) => ({
      index,
      message: { role: "assistant", content: contentOf(answer), refusal: answer.refusal ?? null },
      logprobs: answer.logprobs === undefined ? null : logprobsOf(answer.logprobs),
      finish_reason: finishReason(answer),
    })),
    usage: usageOf(begun, answers),
  });
}

function questionOf(body: Body): Question {
  const { top_logprobs, logprobs } = body;
  if (top_logprobs !== undefined && top_logprobs > 0 && !logprobs) {
    throw invalidOption(
      "top_logprobs",
      top_logprobs,
      "the log probabilities of the answer are not asked for",
      "Give logprobs: true beside it.",
    );
  }
  return {
    model: body.model,
    prompts: [{ messages: chatOf(body.messages) }],
    n: body.n,
    maxTokens: body.max_completion_tokens ?? body.max_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    stop: body.stop,
    seed: body.seed,
    shape: shapeOfFormat(body.response_format, "response_format"),
    logprobs,
    topLogprobs: top_logprobs,
    stream: body.stream,
    extras: body,
  };
}

function chunks(body: Body, begun: Begun) {
  const head = headOf("chatcmpl", "chat.completion.chunk", body.model, begun);
  return choiceStream(head, begun, TOLD, body.stream_options?.include_usage === true);
}

const TOLD: ToldChoices = {
  begun: (index) => deltaOf(index, { role: "assistant", content: "" }),
  delta: (index, text) => deltaOf(index, { content: text }),
  finished(index, answer) {
    const { refusal, logprobs } = answer;
    const last = deltaOf(
      index,
      {},
      {
        finish_reason: finishReason(answer),
        logprobs: logprobs === undefined ? null : logprobsOf(logprobs),
      },
    );
    return refusal === undefined ? [last] : [deltaOf(index, { refusal }), last];
  },
};

function deltaOf(index: number, delta: object, rest: object = {}): object {
  return { index, delta, logprobs: null, finish_reason: null, ...rest };
}

function contentOf({ text, refusal }: Finished): string | null {
  return refusal === undefined ? text : null;
}

function logprobsOf(tokens: readonly TokenLogprob[]) {
  const content = tokens.map(({ top, ...token }) => ({ ...shown(token), top_logprobs: top.map(shown) }));
  return { content, refusal: null };
}

function shown({ token, logprob }: Probable) {
  return { token, logprob, bytes: [...Buffer.from(token)] };
}
