/** `POST /v1/messages` and `POST /v1/messages/count_tokens` */
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import { z } from "zod";
import { atLeast, fields, filledText, flag, integer, list, number } from "../../checks/fields.js";
import { invalidOption } from "../../errors.js";
import type { Finished } from "../asking/answering.js";
import { type BodyRules, readBody } from "../asking/body.js";
import { extraShape } from "../asking/extras.js";
import { chatOf, textOf } from "../asking/messages.js";
import type { Question } from "../asking/question.js";
import type { Begun, Desk } from "../desk.js";
import { eventStream, type SentEvent } from "../event-stream.js";
import { shapeOf } from "../shape/shape.js";
import { anthropicFailure } from "./errors.js";

const chatShape = {
  model: filledText("a model's name"),
  messages: list(z.unknown(), "a list of messages, at least one"),
  system: z.unknown().optional(),
};
const schema = fields({
  ...chatShape,
  ...extraShape,
  max_tokens: integer(1),
  stop_sequences: list(filledText(), "a list of strings", 16).optional(),
  stream: flag().default(false),
  temperature: atLeast(0).optional(),
  top_p: number(0, 1).optional(),
  seed: integer(0, Number.MAX_SAFE_INTEGER).optional(),
  output_config: z.looseObject({ format: z.unknown().optional() }, { error: "an object" }).optional(),
  thinking: z.looseObject({ type: z.unknown() }, { error: "an object" }).optional(),
});
const TOOLS = "Leave it out: these models call no tools.";
const IGNORED = ["metadata", "service_tier", "cache_control", "inference_geo"];
const REFUSED = { tools: TOOLS, tool_choice: TOOLS, mcp_servers: TOOLS, container: TOOLS };
const RULES: BodyRules<typeof schema> = { schema, ignored: IGNORED, refused: REFUSED };
type Body = z.output<typeof schema>;

export async function messages(context: Context, desk: Desk): Promise<Response> {
  const body = await readBody(context, RULES);
  const begun = await desk.begin(context, questionOf(body));
  if (body.stream) return eventStream(context, events(body, begun), desk.ends(anthropicFailure));
  const [answer] = await desk.answers(begun);
  return context.json({
    ...headOf(body, begun),
    ...(answer && endOf(answer, begun)),
    content: contentOf(answer),
  });
}

const counted = fields(chatShape);
const COUNTED: BodyRules<typeof counted> = { schema: counted, ignored: IGNORED, refused: REFUSED };

export async function countTokens(context: Context, desk: Desk): Promise<Response> {
  const body = await readBody(context, COUNTED);
  using used = await desk.models.use(body.model);
  const { ids } = await used.base.render(chat(body), { signal: context.req.raw.signal });
  return context.json({ input_tokens: ids.length });
}

function questionOf(body: Body): Question {
  const { thinking, output_config } = body;
  if (thinking !== undefined && thinking.type !== "disabled") {
    throw invalidOption("thinking.type", thinking.type, "these models do not think first", "Leave it out.");
  }
  return {
    model: body.model,
    prompts: [{ messages: chat(body) }],
    n: 1,
    maxTokens: body.max_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    stop: body.stop_sequences,
    seed: body.seed,
    shape: output_config?.format === undefined ? undefined : formatOf(output_config.format),
    logprobs: false,
    stream: body.stream,
    extras: body,
  };
}

function chat({ messages: given, system }: Pick<Body, "messages" | "system">) {
  const asked = chatOf(given);
  return system === undefined
    ? asked
    : [{ role: "system" as const, content: textOf(system, "system") }, ...asked];
}

function formatOf(format: unknown) {
  const { type, schema: held } = (format ?? {}) as { type?: unknown; schema?: unknown };
  if (type === "json_schema") return shapeOf(held, "output_config.format.schema");
  throw invalidOption("output_config.format.type", type, "there is no such format", "Give json_schema.");
}

async function* events(body: Body, begun: Begun): AsyncGenerator<SentEvent, void, undefined> {
  const event = (type: string, rest: object): SentEvent => ({ event: type, data: { type, ...rest } });
  yield event("message_start", { message: headOf(body, begun) });
  yield event("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
  for await (const told of begun.events) {
    if (told.type === "frame") yield event("lad.frame", { frame: told.frame });
    if (told.type === "delta") {
      yield event("content_block_delta", { index: 0, delta: { type: "text_delta", text: told.text } });
    }
    if (told.type !== "finished") continue;
    const { refusal } = told.answer;
    if (refusal !== undefined) {
      yield event("content_block_delta", { index: 0, delta: { type: "text_delta", text: refusal } });
    }
    yield event("content_block_stop", { index: 0 });
    const { usage, ...delta } = endOf(told.answer, begun);
    yield event("message_delta", { delta, usage });
  }
  yield event("message_stop", {});
}

function headOf({ model }: Body, begun: Begun) {
  return {
    id: `msg_${randomUUID()}`,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: begun.promptTokens, output_tokens: 0 },
    lad: { policy: begun.policy, seed: begun.seed },
  };
}

function endOf(answer: Finished, begun: Begun) {
  return {
    stop_reason: stopReason(answer),
    stop_sequence: answer.stop ?? null,
    usage: { input_tokens: begun.promptTokens, output_tokens: answer.tokens, forwards: answer.forwards },
  };
}

function stopReason({ stopped, refusal }: Finished): string {
  if (refusal !== undefined) return "refusal";
  if (stopped === "length") return "max_tokens";
  return stopped === "stop" ? "stop_sequence" : "end_turn";
}

function contentOf(answer: Finished | undefined): object[] {
  return answer === undefined ? [] : [{ type: "text", text: answer.refusal ?? answer.text }];
}
