/** A person's path through each demo in Chromium, on `lad demo` as a process of its own; and what a stranger's page can do to it. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { chromiumPath, launchChromium } from "../../sdk/report/support/chromium.js";
import { scratchFolder } from "../support/stub.js";

const root = join(import.meta.dirname, "../../..");
const home = join(scratchFolder(), "home");
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const PATIENCE = { timeout: 60_000 };
const HOSTILE = `<img src=x onerror="document.title='pwned'">`;

let browser: Browser;
let axe: string;
let serving: ReturnType<typeof lad>;
let url: string;

function lad(...words: string[]) {
  const program = ["--import", "tsx", "sdk/src/cli/main.ts", ...words];
  return execa(process.execPath, program, { cwd: root, env: { LAD_HOME: home }, reject: false });
}

/** The demo's page in a tab, with all that the browser had to complain about. */
async function opened(options: BrowserContextOptions = {}, address = url) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(address);
  return { context, page, complaints };
}

/** Asks what stands in the form, and waits for the answers. */
async function ask(page: Page): Promise<void> {
  await page.getByRole("combobox", { name: "Pace" }).selectOption("as computed");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await atEnd(page);
}

/** Waits until all lanes of the demo on display have computed and played everything. */
async function atEnd(page: Page): Promise<void> {
  const calm = '[role="tabpanel"]:not([hidden]):has(.lane .player):not(:has(.lane[aria-busy="true"]))';
  await page.locator(calm).waitFor(PATIENCE);
}

const canvas = (page: Page, lane = 1) =>
  page.getByRole("listbox", { name: `Answer of lane ${lane}` }).first();
const texts = (list: Locator) => list.locator(".token").allTextContents();
const slider = (page: Page) => page.getByRole("slider", { name: "Iteration of lane 1" }).first();

async function positions(tokens: Locator): Promise<number[]> {
  const all = await tokens.all();
  return Promise.all(all.map(async (token) => Number(await token.getAttribute("data-position"))));
}

/** Compares all kept adapters of the noise lab, and waits for the figures. */
async function compared(page: Page, draws: number): Promise<void> {
  const section = page.getByRole("region", { name: "Adapters compared" });
  await section.getByLabel("Draws").fill(String(draws));
  await section.getByRole("button", { name: "Compare" }).click();
  await section.getByText(`of ${draws}`, { exact: false }).first().waitFor(PATIENCE);
  await page.locator('.compare[aria-busy="false"]').waitFor(PATIENCE);
}

interface Spot {
  readonly x: number;
  readonly y: number;
}

/** The first and the last token of the first line of the first answer on display, each with its middle. */
async function firstLine(page: Page): Promise<readonly [Token, Token]> {
  const tokens = await page.evaluate<Token[]>(`
    [...document.querySelector(".canvas").querySelectorAll(".token.answer")].map((token) => {
      const { x, y, width, height } = token.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2, position: Number(token.dataset.position) };
    })`);
  const line = tokens.filter(({ y }) => y === tokens[0]?.y);
  const [first, last] = [line.at(0), line.at(-1)];
  if (first === undefined || last === undefined || line.length < 3) throw new Error("There is no such line.");
  return [first, last];
}

interface Token extends Spot {
  readonly position: number;
}

/** Draws a finger from one place to another. */
async function dragged(page: Page, from: Spot, to: Spot): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", touchPoints: Spot[]) =>
    devtools.send("Input.dispatchTouchEvent", { type, touchPoints });
  await touch("touchStart", [from]);
  for (let i = 1; i <= 10; i++) {
    const at = (a: number, b: number) => a + ((b - a) * i) / 10;
    await touch("touchMove", [{ x: at(from.x, to.x), y: at(from.y, to.y) }]);
  }
  await touch("touchEnd", []);
  await devtools.detach();
}

async function sound(page: Page, width: number): Promise<void> {
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  await page.evaluate(axe);
  const violations = await page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))",
  );
  expect(violations).toEqual([]);
}

describe.skipIf(chromiumPath === undefined)("lad demo in Chromium (skipped where there is none)", () => {
  beforeAll(async () => {
    const train = ["train", "--name", "small", "--rank", "8", "--steps", "40"];
    const trained = await lad(...train);
    expect(trained.exitCode, trained.stderr).toBe(0);
    serving = lad("demo", "--json");
    let told = "";
    serving.stdout?.on("data", (bytes) => {
      told += String(bytes);
    });
    await vi.waitFor(() => expect(told).toContain("\n"), PATIENCE);
    url = (JSON.parse(told) as { url: string }).url;
    [browser, axe] = await Promise.all([launchChromium(), readFile(AXE, "utf8")]);
  });

  afterAll(async () => {
    await browser?.close();
    serving?.kill("SIGINT");
    const ended = await serving;
    expect(ended?.exitCode, ended?.stderr).toBe(130);
  });

  const views = [390, 1440].flatMap((width) =>
    (["light", "dark"] as const).map((colorScheme) => ({ width, colorScheme })),
  );

  it.each(views)("is sound in each demo at $width pixels, $colorScheme", async ({ width, colorScheme }) => {
    const { context, page, complaints } = await opened({ colorScheme, viewport: { width, height: 900 } });
    await page.getByRole("button", { name: "Add a lane" }).click();
    await page.getByRole("button", { name: "Add a lane" }).click();
    await page.getByLabel("Policy").nth(1).selectOption("speculative");
    await page.getByLabel("Model").nth(2).selectOption("base");
    expect(await page.getByLabel("Policy").nth(2).inputValue()).toBe("ar");
    await ask(page);
    await ask(page); // the first one stays behind as an earlier question
    const open = "document.querySelectorAll('details').forEach((details) => { details.open = true; })";
    await page.evaluate(open);
    await sound(page, width);
    await page.getByRole("tab", { name: "Noise lab" }).click();
    await page.getByText("400 draws", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Repair it" }).click();
    await atEnd(page);
    await compared(page, 1);
    await page.evaluate(open);
    await sound(page, width);
    await page.getByRole("tab", { name: "Training" }).click();
    const figures =
      /^CE in nats of a corrupted token: training [\d.]+ at step 40, validation [\d.]+ at step \d+$/;
    await page.getByRole("img", { name: figures }).waitFor();
    await sound(page, width);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it.skipIf(availableParallelism() !== 2)(
    "leaves one of two cores to the browser (skipped where there are more or fewer)",
    async () => {
      const { context, page } = await opened();
      expect(await page.locator(".who").textContent()).toContain(", 1 thread)");
      await context.close();
    },
  );

  it("shows how an answer forms, and goes back and forth in it", async () => {
    const { context, page, complaints } = await opened();
    await ask(page);
    const last = await texts(canvas(page));
    await slider(page).focus();
    await page.keyboard.press("Home");
    expect(await slider(page).getAttribute("aria-valuetext")).toBe("iteration 1 of at most 32");
    expect(await canvas(page).locator(".masked").count()).toBe(last.length);
    await page.keyboard.press("ArrowRight");
    expect(await canvas(page).locator(".written").count()).toBeGreaterThan(0);
    await page.keyboard.press("End");
    expect(await texts(canvas(page))).toEqual(last);
    expect(await page.locator("p[role=status]").textContent()).toContain("Lane 1 answers: ");
    const figures = await page.locator("dl.stats dt").allTextContents();
    expect(figures).toEqual(["tokens", "forwards", "tokens a forward", "tokens/s", "ended by"]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("is edited in mid-run, undone, and played again to the same tokens from a link", async () => {
    const { context, page, complaints } = await opened({
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await ask(page);
    const before = await texts(canvas(page));
    await slider(page).focus();
    await page.keyboard.press("Home");
    for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowRight");

    await canvas(page).locator('[data-position="4"]').click();
    await expect.poll(() => canvas(page).locator(".pinned").count()).toBeGreaterThan(0);
    await atEnd(page);
    const pinned = await canvas(page).locator(".pinned").allTextContents();

    await canvas(page).locator('[data-position="1"]').dblclick();
    await page.getByLabel("Instead").fill(HOSTILE);
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await texts(canvas(page))).join("")).toContain("onerror");
    await atEnd(page);
    expect(await page.evaluate("document.images.length")).toBe(0);
    expect(await page.title()).toBe("lad demo");
    const written = await texts(canvas(page));
    expect(await canvas(page).locator(".pinned").allTextContents()).toEqual(
      expect.arrayContaining(pinned.filter((text) => written.includes(text))),
    );

    await canvas(page).locator('[data-position="30"]').focus();
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowRight");
    const selected = await positions(canvas(page).locator('[aria-selected="true"]'));
    expect(selected.length).toBeGreaterThanOrEqual(3);
    await page.keyboard.press("r");
    await expect.poll(() => canvas(page).locator(".held").count()).toBeGreaterThan(0);
    await atEnd(page);
    const edited = await texts(canvas(page));
    const others = (all: readonly string[]) => all.filter((_, position) => !selected.includes(position));
    expect(others(edited)).toEqual(others(written));

    await page.getByRole("button", { name: "Copy a link" }).click();
    await expect.poll(() => page.locator("p[role=status]").textContent()).toBe("The link is copied.");
    const link = String(await page.evaluate("navigator.clipboard.readText()"));
    expect(link).not.toContain("token=");
    await page.goto("about:blank");
    await page.goto(link);
    await atEnd(page);
    await slider(page).focus();
    await page.keyboard.press("End");
    expect(await texts(canvas(page))).toEqual(edited);

    const undo = page.getByRole("button", { name: "Undo" }).first();
    for (let i = 0; i < 3; i++) await undo.click();
    expect(await undo.isDisabled()).toBe(true);
    await slider(page).focus();
    await page.keyboard.press("End");
    expect(await texts(canvas(page))).toEqual(before);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("is walked through by touch: ask, watch, tap to pin, drag a span, write it again, undo", async () => {
    const { context, page, complaints } = await opened({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    await page.getByRole("combobox", { name: "Pace" }).selectOption("as computed");
    await page.getByRole("button", { name: "Ask", exact: true }).tap();
    await atEnd(page);
    const before = await texts(canvas(page));
    await canvas(page).locator('[data-position="0"]').tap();
    await expect.poll(() => canvas(page).locator(".pinned").count()).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Undo" }).first().tap();
    expect(await canvas(page).locator(".pinned").count()).toBe(0);

    const chosen = canvas(page).locator('[aria-selected="true"]');
    await page.evaluate("document.querySelector('.canvas').scrollIntoView({ block: 'center' })");
    const [from, to] = await firstLine(page);
    await dragged(page, from, to);
    const selected = await positions(chosen);
    expect(selected).toEqual(expect.arrayContaining([from.position, to.position]));
    expect(selected.length).toBeGreaterThan(2);

    const scrolled = await page.evaluate("scrollY");
    await dragged(page, to, { x: to.x, y: to.y + 250 });
    await expect.poll(() => page.evaluate("scrollY")).toBeLessThan(scrolled as number);
    expect(await positions(chosen)).toEqual(selected);

    await page.getByRole("button", { name: "Write again" }).first().tap();
    await expect.poll(() => canvas(page).locator(".held").count()).toBeGreaterThan(0);
    await atEnd(page);
    const others = (all: readonly string[]) => all.filter((_, position) => !selected.includes(position));
    expect(others(await texts(canvas(page)))).toEqual(others(before));
    await page.getByRole("button", { name: "Undo" }).first().tap();
    expect(await texts(canvas(page))).toEqual(before);
    expect(await canvas(page).locator(".held").count()).toBe(0);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("mends a draft that is pasted in mid-run, in its lane alone; a link plays it again, and Undo takes it back", async () => {
    const { context, page, complaints } = await opened({
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await page.getByRole("button", { name: "Add a lane" }).click();
    await ask(page);
    const before = await texts(canvas(page));
    await slider(page).focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    const lane = page.getByRole("region", { name: "lane 1" }).first();
    await lane.getByRole("button", { name: "Paste a draft" }).click();
    expect(await page.evaluate("document.activeElement.ariaLabel")).toBe("Draft to be mended");
    await sound(page, 1440);
    await page.keyboard.type("word ".repeat(200));
    await lane.getByRole("button", { name: "Mend it" }).click();
    await lane.getByText(/^The draft has \d+ tokens, and this answer \d+\./).waitFor();
    expect(await lane.getByRole("button", { name: "Undo" }).isDisabled()).toBe(true);

    await lane.getByRole("button", { name: "Paste a draft" }).click();
    await page.keyboard.type("The capital of Chile is Lisbon.");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => canvas(page).locator(".drafted").count()).toBeGreaterThan(0);
    await atEnd(page);
    expect(Number(await slider(page).getAttribute("max"))).toBeLessThanOrEqual(2 + 16);
    await slider(page).focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    const shown = (await canvas(page).locator(".token:not(.masked)").allTextContents()).join("");
    expect(shown).toContain("The capital of Chile is Lisbon.");
    await page.keyboard.press("End");
    const mended = await texts(canvas(page));
    expect(await texts(canvas(page, 2))).toEqual(before);

    await page.getByRole("button", { name: "Copy a link" }).click();
    const link = String(await page.evaluate("navigator.clipboard.readText()"));
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByRole("combobox", { name: "Pace" }).selectOption("as computed");
    await atEnd(page);
    await slider(page).focus();
    await page.keyboard.press("End");
    expect(await texts(canvas(page))).toEqual(mended);
    await lane.getByRole("button", { name: "Undo" }).click();
    await slider(page).focus();
    await page.keyboard.press("End");
    expect(await texts(canvas(page))).toEqual(before);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("is edited while the worker denoises, and goes on from there", async () => {
    const { context, page, complaints } = await opened();
    await page.getByRole("combobox", { name: "Pace" }).selectOption("as computed");
    await page.getByText("Settings").first().click();
    await page.getByLabel("iterations", { exact: true }).first().fill("1500");
    await page.getByLabel("early stop").first().uncheck();
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await expect.poll(async () => Number(await slider(page).getAttribute("max"))).toBeGreaterThan(20);
    const lane = page.getByRole("region", { name: "lane 1" }).first();
    expect(await lane.getAttribute("aria-busy")).toBe("true");
    await canvas(page).locator('[data-position="2"]').focus();
    await page.keyboard.press("p");
    await expect.poll(() => canvas(page).locator(".pinned").count()).toBeGreaterThan(0);
    expect(await lane.getAttribute("aria-busy")).toBe("true");
    const pinned = await canvas(page).locator(".pinned").allTextContents();
    const reached = Number(await slider(page).getAttribute("max"));
    await expect
      .poll(async () => Number(await slider(page).getAttribute("max")))
      .toBeGreaterThan(reached + 20);
    expect(await canvas(page).locator(".pinned").allTextContents()).toEqual(pinned);
    await page.getByRole("button", { name: "Undo" }).first().click();
    await expect.poll(() => canvas(page).locator(".pinned").count()).toBe(0);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("goes back to the questions of a session, which a link has too", async () => {
    const { context, page, complaints } = await opened({
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await ask(page);
    const first = await texts(canvas(page));
    await page.getByRole("button", { name: "Another question" }).click();
    await ask(page);
    const second = await texts(canvas(page));
    expect(second).not.toEqual(first);
    const earlier = page.getByRole("navigation", { name: "Questions of this session" }).getByRole("button");
    expect(await earlier.count()).toBe(2);
    expect(await earlier.nth(1).getAttribute("aria-current")).toBe("true");
    await page.getByRole("button", { name: "Copy a link" }).click();
    const link = String(await page.evaluate("navigator.clipboard.readText()"));
    await earlier.first().click();
    expect(await texts(canvas(page))).toEqual(first);

    await page.goto("about:blank");
    await page.goto(link);
    await page.getByRole("combobox", { name: "Pace" }).selectOption("as computed");
    await atEnd(page);
    expect(await texts(canvas(page))).toEqual(second);
    await earlier.first().click();
    await atEnd(page);
    expect(await texts(canvas(page))).toEqual(first);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("mends a pasted draft, and saves and opens a session as a file", async () => {
    const { context, page, complaints } = await opened();
    await page.getByText("Draft, seed and length").click();
    await page.getByLabel("draft", { exact: true }).fill("The capital of Chile is Lisbon.");
    await page.getByLabel("Policy").first().selectOption("refine");
    await ask(page);
    await slider(page).focus();
    await page.keyboard.press("Home");
    expect(await canvas(page).locator(".drafted, .edited").count()).toBeGreaterThan(4);
    await page.keyboard.press("End");
    const mended = await texts(canvas(page));
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const file = await (await download).path();
    await page.reload();
    await page.getByLabel("Open a saved session").first().setInputFiles(file);
    await page.getByRole("combobox", { name: "Pace" }).selectOption("as computed");
    await atEnd(page);
    expect(await texts(canvas(page))).toEqual(mended);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("corrupts a sentence at any strength, and shows its repair", async () => {
    const { context, page, complaints } = await opened();
    await page.getByRole("combobox", { name: "Pace" }).selectOption("as computed");
    await page.getByRole("tab", { name: "Noise lab" }).click();
    const masks = page.getByLabel("Masks", { exact: true });
    await masks.focus();
    await page.keyboard.press("End");
    await page.getByText("28 of 28 tokens are corrupted.").waitFor();
    await page.keyboard.press("Home");
    await page.getByLabel("Swaps").focus();
    await page.keyboard.press("Home");
    await page.getByText("0 of 28 tokens are corrupted.", { exact: true }).waitFor();
    await page.getByLabel("Duplications").focus();
    await page.keyboard.press("End");
    await expect.poll(() => page.locator(".drawn .corrupted").count()).toBeGreaterThan(10);
    await page.getByRole("button", { name: "Add a model" }).click();
    await page.getByRole("button", { name: "Repair it" }).click();
    await atEnd(page);
    const panel = page.getByRole("tabpanel", { name: "Noise lab" });
    expect(await panel.getByText(/\d+ of 28 tokens are as in the sentence/).count()).toBe(2);
    const rates = page.getByRole("list", { name: "How often each token is corrupted" });
    expect(await rates.getByRole("listitem").count()).toBe(28);
    expect(await rates.getByRole("listitem").nth(4).textContent()).toMatch(
      /together (\d+) %, duplications \1 %$/,
    );
    await compared(page, 2);
    const [mended = ""] = await page.locator(".compare td").allTextContents();
    const [, some, all, share] = (/^(\d+) of (\d+), (\d+) %$/.exec(mended) ?? []).map(Number);
    expect(all).toBeGreaterThan(10);
    expect(share).toBe(Math.round((100 * Number(some)) / Number(all)));
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("plays a session of the noise lab again from a link", async () => {
    const { context, page, complaints } = await opened({
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await page.getByRole("combobox", { name: "Pace" }).selectOption("as computed");
    await page.getByRole("tab", { name: "Noise lab" }).click();
    await page.getByRole("button", { name: "Draw again" }).click();
    await page.getByLabel("Masks", { exact: true }).focus();
    await page.keyboard.press("ArrowRight");
    const panel = page.getByRole("tabpanel", { name: "Noise lab" });
    const drawn = () => panel.locator(".drawn .token").allTextContents();
    await expect.poll(async () => (await drawn()).length).toBe(28);
    await page.waitForLoadState("networkidle");
    await page.getByRole("button", { name: "Repair it" }).click();
    await atEnd(page);
    const repaired = panel.getByRole("listbox", { name: "Answer of lane 1" });
    const before = { drawn: await drawn(), repaired: await texts(repaired) };
    await panel.getByRole("button", { name: "Copy a link" }).click();
    const link = String(await page.evaluate("navigator.clipboard.readText()"));
    await page.goto("about:blank");
    await page.goto(link);
    await repaired.waitFor(PATIENCE);
    await atEnd(page);
    expect({ drawn: await drawn(), repaired: await texts(repaired) }).toEqual(before);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("trains an adapter, samples it on the way, and asks it afterwards", async () => {
    const { context, page, complaints } = await opened();
    await page.getByRole("tab", { name: "Training" }).click();
    await page.getByLabel("Rank").fill("2");
    await page.getByLabel("Steps", { exact: true }).fill("20");
    await page.getByLabel("Sample every").fill("10");
    await page.getByRole("button", { name: "Train an adapter" }).click();
    await page.getByText("finished, 20 of 20 steps").waitFor({ timeout: 120_000 });
    await page.getByText("step 20", { exact: true }).waitFor(PATIENCE);
    expect(await page.locator(".samples li").count()).toBeGreaterThan(0);
    await page.getByLabel("Keep it as").fill("mine");
    await page.getByRole("button", { name: "Keep", exact: true }).click();
    await page.getByText("lad chat --adapter mine").waitFor(PATIENCE);
    await page.getByRole("button", { name: "Keep", exact: true }).click();
    await page.getByText("There is an adapter mine already.").waitFor(PATIENCE);
    for (const { width, colorScheme } of views) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await sound(page, width);
    }
    await page.getByRole("tab", { name: "Denoise" }).click();
    await page.getByRole("button", { name: "Add a lane" }).click();
    await page.getByLabel("Model").nth(1).selectOption({ label: "mine" });
    await page
      .getByLabel("Model")
      .first()
      .selectOption({ label: await runName(page) });
    await ask(page);
    const trained = await texts(canvas(page));
    expect(trained.length).toBeGreaterThan(0);
    expect(await texts(canvas(page, 2))).toEqual(trained);
    const names = await page.getByLabel("Model").first().locator("option").allTextContents();
    const step = names.find((name) => /^run \w+, step \d+ of 20$/.test(name));
    if (step === undefined) throw new Error(`There is no step among ${names.join(", ")}.`);
    await page.getByLabel("Model").nth(1).selectOption({ label: step });
    await ask(page);
    expect((await texts(canvas(page, 2))).length).toBeGreaterThan(0);
    const kept = await readFile(join(home, "adapters/mine/adapter_config.json"), "utf8");
    expect(JSON.parse(kept)).toMatchObject({ r: 2 });
    expect(complaints).toEqual([expect.stringContaining("409")]); // Chromium's own word on the refused name
    await context.close();
  });

  it("is used without a mouse, and moves nothing for whoever asked for less motion", async () => {
    const { context, page } = await opened({ reducedMotion: "reduce" });
    await page.getByRole("tab", { name: "Denoise" }).focus();
    await page.keyboard.press("ArrowRight");
    expect(await page.getByRole("tab", { name: "Noise lab" }).getAttribute("aria-selected")).toBe("true");
    await page.keyboard.press("ArrowLeft");
    await page.getByLabel("Model").first().selectOption({ label: "small" });
    await page.getByLabel("Question", { exact: true }).focus();
    await page.keyboard.press("Enter");
    await atEnd(page);
    const [first] = await canvas(page).locator(".token").all();
    await first?.focus();
    await page.keyboard.press("p");
    await expect.poll(() => first?.getAttribute("aria-label")).toContain("pinned");
    await page.getByRole("button", { name: "Another question" }).press("Enter");
    await page.getByLabel("Question", { exact: true }).press("Enter");
    await atEnd(page);
    const second = await texts(canvas(page));
    const earlier = page.getByRole("navigation", { name: "Questions of this session" }).getByRole("button");
    await earlier.first().focus();
    await page.keyboard.press("Enter");
    expect(await earlier.first().getAttribute("aria-current")).toBe("true");
    expect(await canvas(page).locator(".pinned").count()).toBeGreaterThan(0);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    expect(await texts(canvas(page))).toEqual(second);

    await page.getByRole("tab", { name: "Denoise" }).focus();
    await page.keyboard.press("ArrowRight");
    const section = page.getByRole("region", { name: "Adapters compared" });
    await section.getByLabel("Draws").fill("1");
    await page.keyboard.press("Enter");
    await page.locator(".compare td.repair").first().waitFor(PATIENCE);
    await page.locator('.compare[aria-busy="false"]').waitFor(PATIENCE);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    const focused = "document.activeElement.getAttribute('aria-label')";
    expect(await page.evaluate(focused)).toBe("Results");
    expect(await page.evaluate(MOVING)).toEqual([]);
    await context.close();
  });

  it("asks a tab that has no token for the address, and keeps the token out of it", async () => {
    const { context, page } = await opened({}, new URL(url).origin);
    await page.getByLabel("This tab has no token").fill("http://127.0.0.1:1/");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("That address has no token.").waitFor();
    await page.getByLabel("This tab has no token").fill(url);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("button", { name: "Ask", exact: true }).waitFor();
    await page.goto(url);
    await expect.poll(() => page.url()).not.toContain("token");
    await page.getByRole("button", { name: "Ask", exact: true }).waitFor();
    await context.close();
  });

  it("tells a tab of a demo that has ended to open the address of the one that runs", async () => {
    const { context, page } = await opened({}, `${new URL(url).origin}/#token=00ff`);
    await page.getByText("`lad demo` was started anew since this tab was opened.").waitFor();
    await page.getByLabel("Paste the address that lad demo has printed:").fill(url);
    await page.getByRole("button", { name: "Open" }).click();
    await ask(page);
    await page.evaluate('sessionStorage.setItem("lad-demo-token", "00ff")');
    await page.getByRole("button", { name: "Denoise again" }).click();
    await page.locator(".lane .problem").getByText("Open the address that it has printed.").waitFor();
    await context.close();
  });

  it("gives a stranger's page nothing to read, and takes nothing from it", async () => {
    const stranger = createServer((_, response) => {
      response.setHeader("content-type", "text/html").end("<!doctype html><title>a stranger</title>");
    }).listen(0, "127.0.0.1");
    await once(stranger, "listening");
    const { context, page } = await opened();
    await page.getByRole("button", { name: "Ask", exact: true }).waitFor();
    const { origin, hash } = new URL(url);
    const token = hash.replace("#token=", "");
    const runs = async () =>
      (await (
        await fetch(`${origin}/api/runs`, { headers: { authorization: `Bearer ${token}` } })
      ).json()) as unknown[];
    const before = (await runs()).length;
    const theirs = await context.newPage();
    await theirs.goto(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}/`);
    const tried = await theirs.evaluate(`(${strangersTries})(${JSON.stringify({ origin, token })})`);
    expect(tried).toEqual({
      "the page": "TypeError",
      "a call": "TypeError",
      "a call with the token": "TypeError",
      "a training without reading": "TypeError",
      "a script": "error",
      "a frame": "empty",
    });
    expect((await runs()).length).toBe(before);
    await context.close();
    stranger.close();
  });
});

/** The name of the last run's adapter among the models. */
async function runName(page: Page): Promise<string> {
  const names = await page.getByLabel("Model").first().locator("option").allTextContents();
  const name = names.find((text) => text.startsWith("run ") && text.endsWith("(20 steps)"));
  if (name === undefined) throw new Error(`There is no run among ${names.join(", ")}.`);
  return name;
}

/** The classes of all that may move in a page. It runs in the browser. */
const MOVING = `[...document.querySelectorAll("*")].flatMap((element) => {
  const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
  const isCalm = transitionDuration === "0s" && animationName === "none" && scrollBehavior === "auto";
  return isCalm ? [] : [element.className];
})`;

/** What a page of another origin may try, and what came of it. It runs in the browser, as text. */
const strangersTries = `async ({ origin, token }) => {
  const outcome = (asked) => asked.then((response) => response.type, (error) => error.name);
  const training = JSON.stringify({ rank: 1, steps: 1, seed: 1 });
  const loaded = (tag, address, told) => new Promise((resolve) => {
    const element = document.createElement(tag);
    element.onload = () => resolve(told(element));
    element.onerror = () => resolve("error");
    element.src = address;
    document.body.append(element);
  });
  return {
    "the page": await outcome(fetch(origin + "/")),
    "a call": await outcome(fetch(origin + "/api/about")),
    "a call with the token": await outcome(fetch(origin + "/api/about", { headers: { authorization: "Bearer " + token } })),
    "a training without reading": await outcome(fetch(origin + "/api/runs", { method: "POST", mode: "no-cors", body: training })),
    "a script": await loaded("script", origin + "/index.html", () => "loaded"),
    "a frame": await loaded("iframe", origin + "/", (frame) => {
      try { return frame.contentDocument?.body.childElementCount ? "seen" : "empty"; } catch { return "empty"; }
    }),
  };
}`;
