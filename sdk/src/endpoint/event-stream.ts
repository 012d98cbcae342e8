/** Server-sent events, from events that are made as they are read. */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";

/** One event, as its API names and holds it. */
export interface SentEvent {
  /** Left out where the API's events have no names. */
  readonly event?: string;
  readonly data: object | string;
}

/**
 * Sends events until the last, or until the client goes away. What is thrown on the way becomes a last event, since the status has been sent.
 *
 * @param failure - the event that tells an error; nobody reads it where the client has gone
 */
export function eventStream(
  context: Context,
  events: AsyncGenerator<SentEvent, void, undefined>,
  failure: (error: unknown) => SentEvent,
): Response {
  context.header("x-accel-buffering", "no"); // proxies pass each event on at once
  return streamSSE(context, async (stream) => {
    const send = ({ event, data }: SentEvent) =>
      stream.writeSSE({
        ...(event && { event }),
        data: typeof data === "string" ? data : JSON.stringify(data),
      });
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
