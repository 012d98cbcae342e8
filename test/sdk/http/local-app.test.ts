import { afterEach, describe, expect, it } from "vitest";
import { textOf } from "../../../sdk/src/http/body.js";
import { type LocalAppOptions, localApp } from "../../../sdk/src/http/local-app.js";
import { makeToken, requireToken } from "../../../sdk/src/http/token.js";

const token = makeToken();
const failures: unknown[] = [];
afterEach(() => void failures.splice(0));

/** An application with an open page, and a room that needs the token. */
function app(options: Partial<LocalAppOptions> = {}) {
  const made = localApp({ host: "127.0.0.1", onFailure: (error) => failures.push(error), ...options });
  made.get("/page", (context) => context.text("a page"));
  made.use("/room/*", requireToken(token));
  made.get("/room/word", (context) => context.json({ word: "plover" }));
  made.post("/room/echo", async (context) => context.text(await textOf(context.req)));
  made.get("/room/fault", () => {
    throw new Error("the secret of line 12");
  });
  return made;
}

function ask(path: string, headers: Record<string, string> = {}, options: Partial<LocalAppOptions> = {}) {
  return app(options).request(path, { headers: { host: "127.0.0.1:8421", ...headers } });
}

const bearer = { authorization: `Bearer ${token}` };

describe("the token", () => {
  it.each([
    ["a bearer", bearer],
    ["x-api-key", { "x-api-key": token }],
  ])("is taken as %s", async (_, headers) => {
    expect(await (await ask("/room/word", headers)).json()).toEqual({ word: "plover" });
  });

  it.each([
    ["none", {}, "has no token"],
    ["another", { authorization: `Bearer ${makeToken()}` }, "not this server's"],
    ["a longer one", { authorization: `Bearer ${token}0` }, "not this server's"],
    ["an empty one", { "x-api-key": "" }, "not this server's"],
  ])("refuses %s, and says what to send", async (_, headers, text) => {
    const response = await ask("/room/word", headers);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await response.json()).toEqual({
      error: { code: "unauthenticated", message: expect.stringContaining(text) },
    });
  });

  it("has 256 bits, and is another each time", () => {
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(makeToken()).not.toBe(token);
  });
});

describe("the Host", () => {
  it.each(["localhost:1", "127.0.0.1", "[::1]:99", "LOCALHOST"])("answers as %s", async (host) => {
    expect((await ask("/page", { host })).status).toBe(200);
  });

  it.each(["evil.example:8421", "127.0.0.1.evil.example", "localhost@evil.example", "10.0.0.7", ""])(
    "is no server named %j",
    async (host) => {
      const response = await ask("/room/word", { ...bearer, host });
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ error: { code: "foreign-host" } });
    },
  );

  it("may be any address where it listens on all, but no other name", async () => {
    expect((await ask("/page", { host: "10.0.0.7:80" }, { host: "0.0.0.0" })).status).toBe(200);
    expect((await ask("/page", { host: "evil.example" }, { host: "0.0.0.0" })).status).toBe(403);
  });
});

describe("the Origin", () => {
  const stranger = "http://stranger.example";

  it("lets pages of its own through, and what is no page", async () => {
    expect((await ask("/page", { origin: "http://127.0.0.1:8421" })).status).toBe(200);
    expect((await ask("/page")).status).toBe(200);
  });

  it.each([
    ["another site's", { origin: stranger }],
    ["a sandbox's", { origin: "null" }],
    ["another port's", { origin: "http://127.0.0.1:9999" }],
    ["an image's", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
  ])("keeps %s request out, with the token too, and without CORS headers", async (_, headers) => {
    const response = await ask("/room/word", { ...bearer, ...headers });
    expect(response.status).toBe(403);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(await response.json()).toMatchObject({ error: { code: "foreign-origin" } });
  });

  it("lets a link of another site open a page", async () => {
    const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    expect((await ask("/page", link)).status).toBe(200);
  });

  it("lets a listed one read, errors included, after a preflight that needs no token", async () => {
    const allowed = { allowOrigins: [stranger] };
    const preflight = await app(allowed).request("/room/word", {
      method: "OPTIONS",
      headers: {
        host: "localhost",
        origin: stranger,
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toBe("authorization");
    for (const headers of [bearer, {}]) {
      const response = await ask("/room/word", { ...headers, origin: stranger }, allowed);
      expect(response.headers.get("access-control-allow-origin")).toBe(stranger);
    }
  });

  it("is refused in the list where it is none", () => {
    expect(() => app({ allowOrigins: ["stranger.example"] })).toThrow(
      "allowOrigins is stranger.example: it must be an origin",
    );
  });
});

describe("what goes wrong", () => {
  it("is a body that is too long, with a length or without", async () => {
    const post = (body: string | ReadableStream) =>
      app({ bodyBytes: 8 }).request("/room/echo", {
        method: "POST",
        headers: { ...bearer, host: "localhost" },
        body,
        ...{ duplex: "half" },
      });
    expect(await (await post("12345678")).text()).toBe("12345678");
    const pieces = new Blob(["12345", "6789"]).stream();
    for (const body of ["123456789", pieces]) {
      const response = await post(body);
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ error: { code: "too-long" } });
    }
  });

  it("is a body whose sender has no token, which is not read", async () => {
    let pulled = 0;
    const endless = new ReadableStream({ pull: (to) => void to.enqueue(new Uint8Array(++pulled)) });
    const asked = { method: "POST", headers: { host: "localhost" }, body: endless, duplex: "half" } as const;
    expect((await app().request("/room/echo", asked)).status).toBe(401);
    expect(pulled).toBeLessThan(3);
  });

  it("is told to strangers without its text, and to the server with it", async () => {
    const response = await ask("/room/fault", bearer);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(String(failures)).toContain("the secret of line 12");
  });

  it("has the shape that the server gives it", async () => {
    const shape = ({ status, code }: { status: number; code: string }) => ({ oops: `${status} ${code}` });
    expect(await (await ask("/nowhere", {}, { shape })).json()).toEqual({ oops: "404 not-found" });
  });

  it("leaves the headers of safety on every answer", async () => {
    const response = await ask("/nowhere");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
  });
});
