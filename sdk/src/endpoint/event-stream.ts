/** Server-sent events, from events that are made as they are read. */
import type { ServerResponse } from "node:http";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";

/** One event, as its API names and holds it. */
export interface SentEvent {
  /** Left out where the API's events have no names. */
  readonly event?: string;
  readonly data: object | string;
}

/** How a stream that goes wrong ends. */
export interface StreamEnds {
  /** The event that tells an error; nobody reads it where the client has gone. */
  readonly failure: (error: unknown) => SentEvent;
  /** How long a client may take nothing of what is sent before its connection is closed, in milliseconds. */
  readonly unreadMs: number;
}

/**
 * Sends events until the last, or until the client goes away or reads no more. What is thrown on the way becomes a last event, since the status
 * has been sent.
 */
export function eventStream(
  context: Context,
  events: AsyncGenerator<SentEvent, void, undefined>,
  { failure, unreadMs }: StreamEnds,
): Response {
  context.header("x-accel-buffering", "no"); // proxies pass each event on at once
  return streamSSE(context, async (stream) => {
    const send = async ({ event, data }: SentEvent) => {
      const unread = setTimeout(() => hangUp(context), unreadMs);
      try {
        await stream.writeSSE({
          ...(event && { event }),
          data: typeof data === "string" ? data : JSON.stringify(data),
        });
      } finally {
        clearTimeout(unread);
      }
    };
    try {
      for await (const event of events) {
        if (stream.aborted) return;
        await send(event);
      }
    } catch (error) {
      if (!stream.aborted) await send(failure(error));
    }
  });
}

/** Closes the client's connection, where there is one: a call within this process has none. */
function hangUp({ env }: Context): void {
  (env as { readonly outgoing?: ServerResponse } | undefined)?.outgoing?.destroy();
}
