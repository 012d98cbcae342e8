/** A folder's files over HTTP. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { filesOf } from "../../../sdk/src/http/files.js";
import { serveSite } from "../../../sdk/tools/docs/serve.js";
import { scratchFolder } from "../../e2e/support/stub.js";

const scratch = scratchFolder();
const site = join(scratch, "site");
mkdirSync(join(site, "guide"), { recursive: true });
writeFileSync(join(scratch, "secret.txt"), "secret");
writeFileSync(join(site, "index.html"), "<title>start</title>");
writeFileSync(join(site, "guide/index.html"), "<title>guide</title>");
writeFileSync(join(site, "data.json"), "{}");

describe("the files of a folder", () => {
  const app = new Hono().use(filesOf(site));

  it.each([
    ["/", "text/html", "start"],
    ["/guide/", "text/html", "guide"],
    ["/data.json", "application/json", "{}"],
  ])("are served by their paths: %s", async (path, type, text) => {
    const reply = await app.request(path);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toContain(type);
    expect(await reply.text()).toContain(text);
  });

  it.each([
    "/none.html",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "//secret.txt",
    "/guide/..%2f..%2fsecret.txt",
  ])("are all that is served: not %s", async (path) => {
    expect((await app.request(`http://site${path}`)).status).toBe(404);
  });

  it("are a site at a port of this machine, until it is closed", async () => {
    const served = await serveSite(site);
    expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await fetch(`${served.url}/guide/`)).text()).toContain("guide");
    await served.close();
    await expect(fetch(served.url)).rejects.toThrow();
  });
});
