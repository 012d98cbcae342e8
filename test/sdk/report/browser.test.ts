import { mkdtemp, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scratchFolder } from "../support/folders.js";
import { chromiumPath, launchChromium } from "./support/chromium.js";
import { sampleReport } from "./support/sample.js";

const HOSTILE = `</script><img src=x onerror="document.title='pwned'">${"wide".repeat(60)}`;
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

const scratch = scratchFolder();

let browser: Browser;
let address: string;
let hostileAddress: string;
let axe: string;

async function write(report: ReturnType<typeof sampleReport>): Promise<string> {
  const { html } = await report.write(await mkdtemp(join(scratch, "report-")));
  return pathToFileURL(html).href;
}

/** A page with all that it said and asked for. */
async function opened(options: Parameters<Browser["newContext"]>[0], url = address) {
  const context: BrowserContext = await browser.newContext(options);
  const page = await context.newPage();
  const said: string[] = [];
  const asked: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(url);
  return { context, page, said, asked };
}

/** Tabs until an element has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)})`)) return;
  }
  throw new Error(`No Tab leads to ${selector}.`);
}

describe.skipIf(chromiumPath === undefined)("a report in Chromium (skipped where there is none)", () => {
  beforeAll(async () => {
    [browser, address, hostileAddress, axe] = await Promise.all([
      launchChromium(),
      write(sampleReport()),
      write(sampleReport(() => HOSTILE)),
      readFile(AXE, "utf8"),
    ]);
  });

  afterAll(() => browser?.close());

  const views = [390, 1440].flatMap((width) =>
    (["light", "dark"] as const).map((colorScheme) => ({ width, colorScheme })),
  );

  it.each(views)("is sound and accessible at $width pixels, $colorScheme", async ({ width, colorScheme }) => {
    const { context, page, said, asked } = await opened({ colorScheme, viewport: { width, height: 900 } });
    await page.evaluate(
      "document.querySelectorAll('details').forEach((details) => { details.open = true; })",
    );
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    expect(await page.evaluate(PLACED_OUTSIDE)).toEqual([]);
    expect(said).toEqual([]);
    expect(asked).toEqual([address]);
    await page.evaluate(axe);
    const violations = await page.evaluate(
      "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))",
    );
    expect(violations).toEqual([]);
    await context.close();
  });

  it.each([390, 1440])(
    "keeps hostile texts and words without end in their places at %i pixels",
    async (width) => {
      const { context, page, said, asked } = await opened(
        { viewport: { width, height: 900 } },
        hostileAddress,
      );
      await page.evaluate(
        "document.querySelectorAll('details').forEach((details) => { details.open = true; })",
      );
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
      expect(await page.title()).toBe(HOSTILE);
      expect(await page.evaluate("document.images.length")).toBe(0);
      await page.locator(".play").press("Enter");
      expect(said).toEqual([]);
      expect(asked).toEqual([hostileAddress]);
      await context.close();
    },
  );

  it("is switched between dark and light by keyboard, without storage", async () => {
    const { context, page } = await opened({ colorScheme: "light" });
    const paper = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(await paper()).toBe("rgb(255, 255, 255)");
    await tabTo(page, "#theme");
    await page.keyboard.press("Enter");
    expect(await paper()).toBe("rgb(20, 22, 26)");
    expect(await page.locator("#theme").textContent()).toBe("Light");
    await page.keyboard.press("Space");
    expect(await paper()).toBe("rgb(255, 255, 255)");
    expect(await page.evaluate("localStorage.length + document.cookie.length")).toBe(0);
    await context.close();
  });

  it("has tables that are sorted by keyboard, numbers by value, and what is missing last", async () => {
    const { context, page } = await opened({});
    const match = page.locator("div.table table").first().locator("th").nth(4);
    const column = () =>
      page.locator("div.table table").first().locator("tr td:nth-child(5)").allTextContents();
    const values = async () => (await column()).map((text) => Number.parseFloat(text));
    await match.locator("button").focus();
    await page.keyboard.press("Enter");
    expect(await match.getAttribute("aria-sort")).toBe("ascending");
    const up = await values();
    expect(up.slice(0, -1)).toEqual([...up.slice(0, -1)].sort((a, b) => a - b));
    expect(up.at(-1)).toBeNaN();
    await page.keyboard.press("Space");
    expect(await match.getAttribute("aria-sort")).toBe("descending");
    const down = await values();
    expect(down.slice(0, -1)).toEqual(up.slice(0, -1).reverse());
    expect(down.at(-1)).toBeNaN();
    expect(await page.locator("#status").textContent()).toBe("Sorted by exact match, descending");
    await context.close();
  });

  it("copies a table as CSV in the order in which it stands", async () => {
    const { context, page } = await opened({ permissions: ["clipboard-read", "clipboard-write"] });
    const table = page.locator("div.table").first();
    await table.locator("th button").nth(1).press("Enter");
    await table.locator("button.copy").first().press("Enter");
    await expect.poll(() => page.locator("#status").textContent()).toBe("Copied as CSV");
    const lines = String(await page.evaluate("navigator.clipboard.readText()"))
      .trim()
      .split(/\r?\n/);
    expect(lines[0]).toMatch(/^base,rank,trainable,validation CE \(nats\),validation CE \(nats\) low,/);
    expect(lines.slice(1).map((line) => Number(line.split(",")[1]))).toEqual([
      4, 4, 4, 16, 16, 16, 64, 64, 64,
    ]);
    await context.close();
  });

  it("plays a trace by keyboard: the slider iteration by iteration, the button to the end", async () => {
    const { context, page } = await opened({});
    const [slider, canvas] = [page.locator(".trace input"), page.locator(".canvas")];
    await slider.focus();
    await page.keyboard.press("Home");
    expect(await slider.getAttribute("aria-valuetext")).toBe("iteration 1");
    expect(await canvas.textContent()).toBe(["The", "░░", "░░", " to", "░░".repeat(12)].join(""));
    expect(await canvas.locator(".changed").allTextContents()).toEqual(["The", " to"]);
    await page.keyboard.press("ArrowRight");
    expect(await page.locator(".trace output").textContent()).toBe("2 of 8");
    await page.keyboard.press("End");
    await tabBack(page, ".play");
    await page.keyboard.press("Enter");
    expect(await slider.inputValue()).toBe("0");
    expect(await page.locator(".play").textContent()).toBe("Pause");
    await expect.poll(() => slider.inputValue(), { timeout: 20_000 }).toBe("7");
    expect(await page.locator(".play").textContent()).toBe("Play");
    expect(await canvas.textContent()).toBe("The river runs to the sea, and the sea to the sky.··");
    await context.close();
  });

  it("moves nothing for whoever asked for less motion", async () => {
    const cells = "getComputedStyle(document.querySelector('.canvas .cell')).transitionDuration";
    const { context, page } = await opened({ reducedMotion: "reduce" });
    expect(await page.evaluate(cells)).toBe("0s");
    expect(await page.evaluate("getComputedStyle(document.documentElement).scrollBehavior")).toBe("auto");
    await context.close();
  });

  it("shows all of it without a script", async () => {
    const { context, page, said } = await opened({ javaScriptEnabled: false });
    expect(await page.locator("button:visible").allTextContents()).not.toContain("Copy CSV");
    expect(await page.locator(".player").isVisible()).toBe(false);
    expect(await page.locator(".canvas").isVisible()).toBe(true);
    expect(said).toEqual([]);
    await context.close();
  });
});

/** Elements that stand beyond the page's right edge and in no region that scrolls. */
const PLACED_OUTSIDE = `[...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".scroll, .unseen"))
  .map((element) => element.outerHTML.slice(0, 80))`;

async function tabBack(page: Page, selector: string): Promise<void> {
  await page.keyboard.press("Shift+Tab");
  expect(await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)).toBe(true);
}
