/** The documentation as a site: built without a warning, whole, and used by a reader in Chromium. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, posix } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { corrupted, noiseNamed } from "../../../docs/.vitepress/noise/draw.js";
import type { Listening } from "../../../sdk/src/http/listen.js";
import { serveSite } from "../../../sdk/tools/docs/serve.js";
import { root } from "../../docs/support/pages.js";
import { chromiumPath, launchChromium } from "../../sdk/report/support/chromium.js";

const site = join(root, "docs/.site");
let built: { exitCode?: number | undefined; all: string };

beforeAll(async () => {
  const command = ["--import", "tsx", "sdk/tools/docs.ts"];
  built = await execa(process.execPath, command, { cwd: root, all: true, reject: false });
}, 600_000);

describe("the site", () => {
  it("builds without a warning", () => {
    expect(built.all).toMatch(/^The site is in docs\/\.site: [^\n]*$/);
    expect(built.exitCode).toBe(0);
  });

  it("has no link that leads nowhere, the reference's own among them", () => {
    const pages = new Map(htmlFiles().map((path) => [path, readFileSync(join(site, path), "utf8")] as const));
    const ids = new Map([...pages].map(([path, html]) => [path, new Set(matches(html, / id="([^"]+)"/g))]));
    const dead = new Set<string>();
    for (const [path, html] of pages) {
      for (const href of matches(html, /<a[^>]* href="([^"]+)"/g)) {
        if (/^[a-z]+:/.test(href)) continue;
        const [file = "", anchor] = href.split("#");
        const target = file === "" ? path : posix.join(posix.dirname(path), file);
        const hasAnchor = anchor === undefined || ids.get(target)?.has(decodeURIComponent(anchor));
        if (!existsSync(join(site, target)) || !hasAnchor) dead.add(`${path}: ${href}`);
      }
    }
    expect(pages.size).toBeGreaterThan(500);
    expect([...dead]).toEqual([]);
  });

  it("asks no other machine for anything", () => {
    const strangers = htmlFiles().filter((path) => {
      const html = readFileSync(join(site, path), "utf8").replace(/<a [^>]*>/g, "");
      return /(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?\/\//.test(html);
    });
    expect(strangers).toEqual([]);
  });
});

describe.skipIf(chromiumPath === undefined)("a reader in Chromium (skipped where there is none)", () => {
  let browser: Browser;
  let served: Listening;
  let address: string;
  let axe: string;

  beforeAll(async () => {
    axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    served = await serveSite(site);
    address = served.url;
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });

  /** A page with what it said and what it asked of others. */
  async function opened(url: string, options: Parameters<Browser["newContext"]>[0] = {}) {
    const page = await (await browser.newContext(options)).newPage();
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(address) && !/^(data|file):/.test(request.url()))
        said.push(request.url());
    });
    await page.goto(url, { waitUntil: "networkidle" });
    return { page, said };
  }

  const paths = [
    "/",
    "/method.html",
    "/errors.html",
    "/guide/which-policy.html",
    "/guide/evaluate.html",
    "/architecture.html",
    "/api/index/interfaces/RemaskOptions.html",
    "/protocol/sampling.html",
    "/project/examples.html",
  ];
  const views = paths.flatMap((path) => [
    { path, width: 390, colorScheme: "light" as const },
    { path, width: 1440, colorScheme: "dark" as const },
  ]);

  it.each(views)("finds $path sound and accessible at $width pixels, $colorScheme", async (view) => {
    const { path, width, colorScheme } = view;
    const { page, said } = await opened(address + path, { colorScheme, viewport: { width, height: 900 } });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    await page.evaluate(axe);
    // VitePress's own button is named Search and shows its shortcut besides.
    const violations = await page.evaluate(
      "axe.run({ exclude: ['.DocSearch-Button'] }).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))",
    );
    expect(violations).toEqual([]);
    expect(said).toEqual([]);
    await page.context().close();
  });

  it.each([
    ["resume", "/guide/resuming.html"],
    ["fix a word", "/guide/editing.html"],
    ["policy JSON", "/guide/which-policy.html"],
    ["where checkpoints", "/guide/resuming.html"],
    ["content CE", "/guide/evaluate.html"],
    ["serve OpenAI", "/endpoint.html"],
    ["out-of-memory", "/errors.html"],
  ])("searches for %s and finds %s first", async (question, wanted) => {
    const { page, said } = await opened(`${address}/method.html`);
    await page.keyboard.press("Control+k");
    await page.locator(".VPLocalSearchBox input").fill(question);
    const first = page.locator(".VPLocalSearchBox .result").first();
    await first.waitFor();
    expect(new URL((await first.getAttribute("href")) ?? "", address).pathname).toBe(wanted);
    await first.click();
    await page.waitForURL(`**${wanted}*`);
    expect(said).toEqual([]);
    await page.context().close();
  });

  it("draws noise: the tokens of the SDK, for the sentence, the noise, the seed and the epoch that are set", async () => {
    const { page, said } = await opened(`${address}/method.html`);
    const figure = page.locator(".noise-figure");
    await figure.getByLabel("Sentence").fill("A b c d, e f g h.");
    await figure.getByLabel("Seed").fill("12");
    for (const name of ["lad", "cover", "uniform", "fixed"] as const) {
      await figure.getByLabel("Noise").selectOption(name);
      const epoch = Number(/Epoch (\d+)/.exec((await figure.locator(".summary").textContent()) ?? "")?.[1]);
      expect(await tokensOf(page)).toEqual(expected(name, epoch));
      await figure.getByRole("button", { name: "Next epoch" }).press("Enter");
      expect(await tokensOf(page)).toEqual(expected(name, epoch + 1));
    }
    await figure.getByLabel(/^masked/).fill("1");
    expect(new Set((await tokensOf(page)).map(([, state]) => state))).toEqual(new Set(["masked"]));
    await figure.getByLabel("Sentence").fill("<img src=x onerror=alert(1)>");
    expect(await page.locator(".noise-figure img").count()).toBe(0);
    expect(said).toEqual([]);
  });

  it("is served the site's own files, and nothing beside them", async () => {
    expect(await (await fetch(`${address}/guide/editing.html`)).text()).toContain("Editing and infilling");
    expect((await fetch(`${address}/api/`)).headers.get("content-type")).toContain("text/html");
    for (const path of ["/none.html", "/..%2f..%2fpackage.json", "/%", "/..%2findex.md"]) {
      expect((await fetch(address + path)).status).toBe(404);
    }
  });

  it("reads it from the disk, without a server", async () => {
    const { page } = await opened(pathToFileURL(join(site, "index.html")).href);
    const plain = await page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize");
    expect(Number.parseInt(String(plain), 10)).toBeGreaterThan(24); // VitePress's style, which is there
    expect(await page.locator(".DocSearch-Button:visible, .VPNavBarAppearance:visible").count()).toBe(0);
    const told = "getComputedStyle(document.querySelector('.VPNavBarSearch'), '::after').content";
    expect(await page.evaluate(told)).toContain("npm run docs -- --serve");
    await page.locator(".vp-doc").getByRole("link", { name: "Fixing a word" }).click();
    await page.waitForURL(/guide\/editing\.html#fixing-a-word$/);
    expect(await page.locator("h1").textContent()).toContain("Editing and infilling");
  });
});

const LEVELS = { masked: 0.3, swapped: 0.1, duplicated: 0.1, shifted: 0 };

function expected(name: "lad" | "cover" | "uniform" | "fixed", epoch: number) {
  const shown = corrupted("A b c d, e f g h.", noiseNamed(name, LEVELS), { seed: 12n, epoch });
  return shown.map(({ text, state }) => [text.trim(), state]);
}

/** The figure's tokens with their states. */
async function tokensOf(page: Page): Promise<string[][]> {
  const tokens = await page.locator(".noise-figure li.token").all();
  return Promise.all(
    tokens.map(async (token) => {
      const classes = ((await token.getAttribute("class")) ?? "").split(" ");
      const state = ["masked", "wrong", "clean"].find((each) => classes.includes(each)) ?? "";
      const text = (await token.textContent()) ?? "";
      return [text.replace(/ \((masked|wrong)\)$/, ""), state];
    }),
  );
}

function htmlFiles(): string[] {
  return readdirSync(site, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".html"));
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, found = ""]) => found.replaceAll("&amp;", "&"));
}
