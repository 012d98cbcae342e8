/** Pages of other origins in a real browser, beside an endpoint that listens on this machine. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Runtime } from "lad";
import { type Endpoint, serveOpenAI } from "lad/endpoint";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, launchChromium } from "../../sdk/report/support/chromium.js";
import { scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();

let runtime: Runtime;
let browser: Browser;
let endpoint: Endpoint;
const sites: Server[] = [];

/** A page of an origin of its own. */
async function site(): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>a site</title><body></body>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  sites.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a page gets that asks the endpoint as a script would, with the token or without: the status, or that the browser gave nothing. */
function asks(page: Page, url: string, token: string | undefined, mode: "cors" | "no-cors" = "cors") {
  return page.evaluate(
    async ([url, token, mode]) => {
      const body = JSON.stringify({ model: "stub", prompt: "x", max_tokens: 2 });
      const headers = token === "" ? {} : { authorization: `Bearer ${token}` };
      try {
        const response = await fetch(`${url}/completions`, {
          method: "POST",
          mode,
          headers,
          body,
        });
        return response.type === "opaque"
          ? "opaque"
          : `${response.status} ${(await response.text()).slice(0, 40)}`;
      } catch (error) {
        return String(error);
      }
    },
    [url, token ?? "", mode] as const,
  );
}

async function opened(address: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(address);
  return page;
}

describe.skipIf(chromiumPath === undefined)(
  "a page of another origin, in Chromium (skipped where there is none)",
  () => {
    let friend: string;
    beforeAll(async () => {
      runtime = await startRuntime(scratch);
      friend = await site();
      endpoint = await serveOpenAI(runtime, { bases: ["stub"], allowOrigins: [friend] });
      browser = await launchChromium();
    });
    afterAll(async () => {
      await browser?.close();
      await endpoint?.close();
      await runtime?.close();
      for (const server of sites) server.close();
    });

    it("can neither read nor write, even with the token", async () => {
      const page = await opened(await site());
      expect(await asks(page, endpoint.url, endpoint.token)).toContain("Failed to fetch");
      expect(await asks(page, endpoint.url, undefined)).toContain("Failed to fetch");
      expect(await asks(page, endpoint.url, undefined, "no-cors")).toContain("Failed to fetch");
      expect((await runtime.info()).bases).toEqual([]); // nothing was loaded for it
      expect(await runtime.runs()).toEqual([]);
    });

    it("cannot send it a form either", async () => {
      const page = await opened(await site());
      await page.setContent(
        `<form method="post" action="${endpoint.url}/completions"><button>Send</button></form>`,
      );
      await page.click("button");
      await page.waitForURL(`${endpoint.url}/completions`);
      expect(await page.textContent("body")).toContain("foreign-origin");
      expect(await runtime.runs()).toEqual([]);
    });

    it("under a name that resolves to this machine is no page of the endpoint", async () => {
      const args = ["--no-sandbox", "--host-resolver-rules=MAP rebound.example 127.0.0.1"];
      const { chromium } = await import("playwright-core");
      const rebound = await chromium.launch({ executablePath: chromiumPath ?? "", args });
      try {
        const page = await rebound.newPage();
        const response = await page.goto(`http://rebound.example:${endpoint.port}/v1/models`);
        expect(response?.status()).toBe(403);
        expect(await page.textContent("body")).toContain("foreign-host");
      } finally {
        await rebound.close();
      }
    });

    it("that is allowed can call it with the token, and only with it", async () => {
      const page = await opened(friend);
      expect(await asks(page, endpoint.url, endpoint.token)).toMatch(/^200 \{"id":"cmpl-/);
      expect(await asks(page, endpoint.url, "other")).toMatch(/^401 /);
    });
  },
);
