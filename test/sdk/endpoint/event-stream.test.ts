import { once } from "node:events";
import { connect } from "node:net";
import { Hono } from "hono";
import { expect, it } from "vitest";
import { eventStream, type SentEvent } from "../../../sdk/src/endpoint/event-stream.js";
import { listen } from "../../../sdk/src/http/listen.js";

it("a client that takes nothing of its stream is hung up on, which leaves the events", async () => {
  let hasLeft = false;
  async function* endless(): AsyncGenerator<SentEvent, void, undefined> {
    try {
      for (;;) yield { data: "x".repeat(1 << 16) };
    } finally {
      hasLeft = true;
    }
  }
  const failure = () => ({ data: "failed" });
  const app = new Hono().get("/", (context) => eventStream(context, endless(), { failure, unreadMs: 50 }));
  await using server = await listen(app);
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => {}); // it is cut off
  socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  await once(socket, "connect");
  socket.pause();
  await expect.poll(() => hasLeft, { timeout: 5000 }).toBe(true);
  socket.destroy();
});
