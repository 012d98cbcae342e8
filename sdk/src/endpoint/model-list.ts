/** `GET /v1/models`, in the shape of the API whose client asks. */
import type { Context } from "hono";
import { LadError } from "../errors.js";
import type { ListedModel, Models } from "./models.js";

/** Whether Anthropic's client asks: it says which version of the API it reads. */
export function isAnthropic({ req }: Context): boolean {
  return req.path.startsWith("/v1/messages") || req.header("anthropic-version") !== undefined;
}

export async function listModels(context: Context, models: Models): Promise<Response> {
  const listed = await models.list();
  const data = listed.map((model) => shown(model, context));
  if (!isAnthropic(context)) return context.json({ object: "list", data });
  const ids = listed.map(({ id }) => id);
  return context.json({ data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null });
}

/** One of them: the rest of the path is its name, in which a hub's base has a slash. */
export async function showModel(context: Context, models: Models): Promise<Response> {
  const name = decodeURIComponent(context.req.path.slice("/v1/models/".length));
  const listed = (await models.list()).find(({ id }) => id === name);
  if (listed !== undefined) return context.json(shown(listed, context));
  throw new LadError("not-found", `There is no model ${name}.`, {
    option: "model",
    value: name,
    remedy: "GET /v1/models lists them.",
  });
}

function shown({ id, created }: ListedModel, context: Context): object {
  if (isAnthropic(context)) {
    return { type: "model", id, display_name: id, created_at: created.toISOString() };
  }
  return { id, object: "model", created: Math.floor(created.getTime() / 1000), owned_by: "lad" };
}
