import { once } from "node:events";
import { get } from "node:http";
import { connect } from "node:net";
import { Hono } from "hono";
import { expect, it } from "vitest";
import { textOf } from "../../../sdk/src/http/body.js";
import { listen } from "../../../sdk/src/http/listen.js";
import { localApp } from "../../../sdk/src/http/local-app.js";

const hello = new Hono().get("/", (context) => context.text("hello"));

it("listens on loopback, on a port that is free, until it is closed", async () => {
  const server = await listen(hello);
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
  expect(await (await fetch(server.url)).text()).toBe("hello");
  await server.close();
  await expect(fetch(server.url)).rejects.toThrow();
});

it("names the port that another listens on, and the address that is none of this machine", async () => {
  await using server = await listen(hello);
  await expect(listen(hello, { port: server.port })).rejects.toMatchObject({
    code: "port-in-use",
    option: "port",
    value: String(server.port),
  });
  await expect(listen(hello, { port: 70_000 })).rejects.toMatchObject({
    code: "invalid-option",
    option: "port",
  });
  await expect(listen(hello, { host: "192.0.2.1" })).rejects.toMatchObject({
    code: "invalid-option",
    option: "host",
  });
});

it("takes bodies in chunks, without a length, and calls without a body", async () => {
  const app = localApp({ host: "127.0.0.1", bodyBytes: 8 });
  app.post("/", async (context) => context.text(await textOf(context.req)));
  await using server = await listen(app);
  const post = async (...pieces: string[]) => {
    const body = new Blob(pieces).stream();
    return fetch(server.url, { method: "POST", body, duplex: "half" } as RequestInit);
  };
  expect(await (await post("1234", "5678")).text()).toBe("12345678");
  expect((await post("1234", "56789")).status).toBe(413);
  expect(await (await fetch(server.url, { method: "POST" })).text()).toBe("");
});

it("tells a route that its client has gone, before and while it is answered", async () => {
  const left: string[] = [];
  const here = new EventTarget();
  const app = new Hono().get("/:way", (context) => {
    const { signal } = context.req.raw;
    const way = context.req.param("way");
    signal.addEventListener("abort", () => {
      left.push(way);
      here.dispatchEvent(new Event("left"));
    });
    here.dispatchEvent(new Event("asked"));
    if (way === "unanswered") return new Promise<Response>(() => {});
    return new Response(
      new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode("…")) }),
    );
  });
  await using server = await listen(app);
  for (const way of ["unanswered", "streamed"]) {
    const asked = once(here, "asked");
    const request = get(`${server.url}/${way}`);
    request.on("error", () => {});
    await asked;
    if (way === "streamed") await once(request, "response");
    const gone = once(here, "left");
    request.destroy();
    await gone;
  }
  expect(left).toEqual(["unanswered", "streamed"]);
});

it("lets a request that is being answered finish when it closes, and cuts off what takes too long", async () => {
  let finish = () => {};
  const asked = new EventTarget();
  const app = new Hono()
    .get("/slow", () => {
      asked.dispatchEvent(new Event("slow"));
      return new Promise<Response>((resolve) => {
        finish = () => resolve(new Response("done"));
      });
    })
    .get("/never", () => {
      asked.dispatchEvent(new Event("never"));
      return new Promise<Response>(() => {});
    });
  const server = await listen(app);
  const [slow, never] = [fetch(`${server.url}/slow`), fetch(`${server.url}/never`)];
  never.catch(() => {});
  await Promise.all([once(asked, "slow"), once(asked, "never")]);
  const closed = server.close(200);
  finish();
  expect(await (await slow).text()).toBe("done");
  await expect(never).rejects.toThrow();
  await closed;
});

it("tells every route of a connection that its client has gone, also of requests that were sent ahead", async () => {
  const [left, here] = [new Set<string>(), new EventTarget()];
  let asked = 0;
  const app = new Hono().get("/:number", (context) => {
    const number = context.req.param("number");
    context.req.raw.signal.addEventListener("abort", () => left.add(`signal ${number}`));
    if (++asked === 3) here.dispatchEvent(new Event("all"));
    return new Response(new ReadableStream({ pull() {}, cancel: () => void left.add(`stream ${number}`) }));
  });
  await using server = await listen(app);
  const socket = connect(server.port, "127.0.0.1");
  const all = once(here, "all");
  socket.write([1, 2, 3].map((number) => `GET /${number} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`).join(""));
  await all;
  socket.destroy();
  await expect
    .poll(() => [...left].sort())
    .toEqual([
      ...[1, 2, 3].map((number) => `signal ${number}`),
      ...[1, 2, 3].map((number) => `stream ${number}`),
    ]);
});
