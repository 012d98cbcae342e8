/** The bodies of requests, which are read where they are needed, and no further than they may be long. */
import type { HonoRequest, MiddlewareHandler } from "hono";
import { Refusal } from "./refusal.js";

const limits = new WeakMap<Request, number>();

/**
 * Says how many bytes the body of a request may have. Nothing is read yet: a route does that (`textOf`), behind the token.
 *
 * @throws Refusal 413 for a request that says that it has more
 */
export function limitBody(bytes: number): MiddlewareHandler {
  return async ({ req }, next) => {
    limits.set(req.raw, bytes);
    if (Number(req.header("content-length")) > bytes) throw tooLong(bytes);
    await next();
  };
}

/**
 * A request's body as text.
 *
 * @throws Refusal 413 as soon as it is too long, whatever it said
 */
export async function textOf({ raw }: HonoRequest): Promise<string> {
  const most = limits.get(raw) ?? Number.POSITIVE_INFINITY;
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const piece of (raw.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > most) throw tooLong(most);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

function tooLong(bytes: number): Refusal {
  return new Refusal(413, "too-long", `The body of this request has more than ${bytes} bytes. Send less.`);
}
