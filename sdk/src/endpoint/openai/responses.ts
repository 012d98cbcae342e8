/** `POST /v1/responses` */
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import { z } from "zod";
import { fields, filledText, integer, list, text } from "../../checks/fields.js";
import { refusalOf } from "../../http/refusal.js";
import type { Finished } from "../asking/answering.js";
import { type BodyRules, readBody } from "../asking/body.js";
import { asFields } from "../asking/field-names.js";
import { chatOf } from "../asking/messages.js";
import type { Question } from "../asking/question.js";
import type { Begun, Desk } from "../desk.js";
import { eventStream, type SentEvent } from "../event-stream.js";
import { commonShape, IGNORED, REFUSED } from "./fields.js";
import { shapeOfFormat } from "./formats.js";

const INPUT = "a text, or a list of messages, at least one";
/** Other things to include are of tools and reasoning, which no answer has here. */
const LOGPROBS = "message.output_text.logprobs";
const NO_LOGPROBS = "not the log probabilities, which /v1/chat/completions tells";
const schema = fields({
  ...commonShape,
  input: z.union([filledText(INPUT), list(z.unknown(), INPUT)], { error: INPUT }),
  instructions: text().optional(),
  include: z.array(z.unknown().refine((wanted) => wanted !== LOGPROBS, { error: NO_LOGPROBS })).optional(),
  max_output_tokens: integer(1).optional(),
  text: z.looseObject({ format: z.unknown().optional() }, { error: "an object" }).optional(),
});
const RULES: BodyRules<typeof schema> = {
  schema,
  ignored: [...IGNORED, "stream_options", "truncation"],
  refused: {
    ...REFUSED,
    previous_response_id: "Nothing is kept here: give the chat so far as input.",
    conversation: "Nothing is kept here: give the chat so far as input.",
    background: "Leave it out: an answer ends with its request.",
    top_logprobs: "Ask /v1/chat/completions with logprobs.",
    prompt: "Give input.",
  },
};
type Body = z.output<typeof schema>;

export async function responses(context: Context, desk: Desk): Promise<Response> {
  const body = await readBody(context, RULES);
  const begun = await desk.begin(context, questionOf(body));
  const reply = new Reply(body, begun);
  if (body.stream)
    return eventStream(
      context,
      reply.events(),
      desk.ends((error) => reply.failed(error)),
    );
  const [answer] = await desk.answers(begun);
  return context.json(reply.done(answer));
}

function questionOf(body: Body): Question {
  const given = typeof body.input === "string" ? [{ role: "user", content: body.input }] : body.input;
  const asked = chatOf(given, "input");
  const system =
    body.instructions === undefined ? [] : [{ role: "system" as const, content: body.instructions }];
  return {
    model: body.model,
    prompts: [{ messages: [...system, ...asked] }],
    n: 1,
    maxTokens: body.max_output_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    seed: body.seed,
    shape: shapeOfFormat(body.text?.format, "text.format"),
    logprobs: false,
    stream: body.stream,
    extras: body,
  };
}

/** A response as it comes to be. */
class Reply {
  readonly #body: Body;
  readonly #begun: Begun;
  readonly #id = `resp_${randomUUID()}`;
  readonly #itemId = `msg_${randomUUID()}`;
  readonly #created = Math.floor(Date.now() / 1000);
  #sent = 0;

  constructor(body: Body, begun: Begun) {
    this.#body = body;
    this.#begun = begun;
  }

  async *events(): AsyncGenerator<SentEvent, void, undefined> {
    const place = { item_id: this.#itemId, output_index: 0, content_index: 0 };
    yield this.#event("response.created", { response: this.#object("in_progress") });
    yield this.#event("response.in_progress", { response: this.#object("in_progress") });
    yield this.#event("response.output_item.added", { output_index: 0, item: this.#item("in_progress", []) });
    yield this.#event("response.content_part.added", { ...place, part: outputText("") });
    for await (const event of this.#begun.events) {
      if (event.type === "frame") yield this.#event("lad.frame", { frame: event.frame });
      if (event.type === "delta") {
        yield this.#event("response.output_text.delta", { ...place, delta: event.text, logprobs: [] });
      }
      if (event.type === "finished") yield* this.#end(event.answer, place);
    }
  }

  *#end(answer: Finished, place: object): Generator<SentEvent> {
    const { text: written, refusal } = answer;
    const part = partOf(answer);
    if (refusal === undefined) {
      yield this.#event("response.output_text.done", { ...place, text: written, logprobs: [] });
    } else {
      yield this.#event("response.refusal.delta", { ...place, delta: refusal });
      yield this.#event("response.refusal.done", { ...place, refusal });
    }
    yield this.#event("response.content_part.done", { ...place, part });
    const response = this.done(answer);
    yield this.#event("response.output_item.done", { output_index: 0, item: response.output[0] });
    yield this.#event(`response.${response.status}`, { response });
  }

  /** The response when it is done. */
  done(answer: Finished | undefined) {
    if (answer === undefined) return this.#object("incomplete");
    const status = answer.stopped === "length" ? "incomplete" : "completed";
    return {
      ...this.#object(status),
      incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
      output: [this.#item(status, [partOf(answer)])],
      usage: {
        input_tokens: this.#begun.promptTokens,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: answer.tokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: this.#begun.promptTokens + answer.tokens,
        forwards: answer.forwards,
      },
    };
  }

  /** The event that tells an error in the middle of a stream. */
  failed(error: unknown): SentEvent {
    const { code, message } = refusalOf(error);
    const told = {
      code: code === "busy" ? "rate_limit_exceeded" : "server_error",
      message: asFields(message),
    };
    return this.#event("response.failed", { response: { ...this.#object("failed"), error: told } });
  }

  #event(type: string, fields: object): SentEvent {
    return { event: type, data: { type, sequence_number: this.#sent++, ...fields } };
  }

  #item(status: string, content: readonly object[]) {
    return { id: this.#itemId, type: "message", role: "assistant", status, content };
  }

  #object(status: "in_progress" | "completed" | "incomplete" | "failed") {
    const { model, instructions, temperature, top_p, max_output_tokens, text: asked } = this.#body;
    return {
      id: this.#id,
      object: "response",
      created_at: this.#created,
      status,
      error: null,
      incomplete_details: null as object | null,
      instructions: instructions ?? null,
      max_output_tokens: max_output_tokens ?? null,
      model,
      output: [] as object[],
      parallel_tool_calls: false,
      previous_response_id: null,
      store: false,
      temperature: temperature ?? 0,
      text: { format: asked?.format ?? { type: "text" } },
      tool_choice: "none",
      tools: [],
      top_p: top_p ?? 1,
      truncation: "disabled",
      usage: null as object | null,
      metadata: {},
      lad: { policy: this.#begun.policy, seed: this.#begun.seed },
    };
  }
}

function partOf({ text: written, refusal }: Finished): object {
  return refusal === undefined ? outputText(written) : { type: "refusal", refusal };
}

function outputText(written: string): object {
  return { type: "output_text", text: written, annotations: [], logprobs: [] };
}
