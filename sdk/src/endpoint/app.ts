/** The routes of the endpoint. */
import type { Hono } from "hono";
import { type LocalAppOptions, localApp } from "../http/local-app.js";
import { requireToken } from "../http/token.js";
import { anthropicError } from "./anthropic/errors.js";
import { countTokens, messages } from "./anthropic/messages.js";
import type { Desk } from "./desk.js";
import { isAnthropic, listModels, showModel } from "./model-list.js";
import { chatCompletions } from "./openai/chat.js";
import { completions } from "./openai/completions.js";
import { openAIError } from "./openai/errors.js";
import { responses } from "./openai/responses.js";

/** Every call needs the token; refusals have the shape of the API that is called. */
export function endpointApp(
  desk: Desk,
  options: Omit<LocalAppOptions, "shape"> & { readonly token: string },
): Hono {
  const { token, ...local } = options;
  const app = localApp({
    ...local,
    shape: (refusal, context) => (isAnthropic(context) ? anthropicError(refusal) : openAIError(refusal)),
  });
  app.use(requireToken(token));
  app.get("/v1/models", (context) => listModels(context, desk.models));
  app.get("/v1/models/*", (context) => showModel(context, desk.models));
  app.post("/v1/chat/completions", (context) => chatCompletions(context, desk));
  app.post("/v1/completions", (context) => completions(context, desk));
  app.post("/v1/responses", (context) => responses(context, desk));
  app.post("/v1/messages", (context) => messages(context, desk));
  app.post("/v1/messages/count_tokens", (context) => countTokens(context, desk));
  return app;
}
