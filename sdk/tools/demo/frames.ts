/**
 * Measures how smoothly the demo draws an answer of 128 tokens while the worker denoises it, and as it is played again:
 * `LAD_HOME=… node --import tsx sdk/tools/demo/frames.ts [base] [iterations]`, where an adapter on the base (default: tiny) is kept.
 * Prints a line of JSON: the times between the page's own frames, and what Chromium's trace says of the live part. Both need cores that
 * nothing else uses.
 */
import type { Browser, Page } from "playwright-core";
import { ended, withDemo } from "./driving.js";
import { TRACED, type TraceEvent, traceSummary } from "./trace.js";

/** A frame that took longer was missed by a screen of 60 frames a second. */
const MISSED_MS = 25;
const TOKENS = 128;
const [base = "tiny", iterations = "256"] = process.argv.slice(2);

await withDemo(base, async (browser, url) => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
  await page.getByText("Draft, seed and length").click();
  await page.getByLabel("answer tokens").fill(String(TOKENS));
  await page.getByText("Settings").first().click();
  await page.getByLabel("iterations", { exact: true }).first().fill(iterations);
  await page.getByLabel("early stop").first().uncheck();
  await page.getByRole("combobox", { name: "Pace" }).selectOption("as computed");
  await asked(page); // what is loaded once is loaded now
  const live = await traced(browser, page, () => measured(page, () => asked(page)));
  const replay: Record<string, object> = {};
  for (const pace of ["quick", "as computed"]) replay[pace] = await replayed(page, pace);
  const tokens = await page.getByRole("listbox").first().locator(".token").count();
  const said = await page.locator(".who").textContent();
  console.log(JSON.stringify({ said, tokens, iterations: Number(iterations), live, replay }));
});

/** Asks, and waits until all is computed and shown. */
async function asked(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await ended(page);
}

async function replayed(page: Page, pace: string) {
  await page.getByRole("combobox", { name: "Pace" }).selectOption(pace);
  return measured(page, async () => {
    await page.getByRole("button", { name: "Play lane 1" }).first().click();
    await ended(page);
  });
}

/** What Chromium traced meanwhile, beside what was measured. */
async function traced(browser: Browser, page: Page, act: () => Promise<object>): Promise<object> {
  await browser.startTracing(page, { categories: [...TRACED] });
  const result = await act();
  const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: TraceEvent[] };
  return { ...result, trace: traceSummary(traceEvents) };
}

/** The times between the page's frames while something is done. */
async function measured(page: Page, act: () => Promise<void>) {
  await page.evaluate(`(() => {
    window.times = [];
    const tick = (now) => { window.times.push(now); window.ticking = requestAnimationFrame(tick); };
    window.ticking = requestAnimationFrame(tick);
  })()`);
  await act();
  const times = (await page.evaluate("cancelAnimationFrame(window.ticking), window.times")) as number[];
  const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
  const sorted = [...gaps].sort((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1));
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  return {
    seconds: Number(seconds.toFixed(2)),
    framesPerSecond: Number((gaps.length / seconds).toFixed(1)),
    medianMs: at(0.5),
    p99Ms: at(0.99),
    missed: gaps.filter((gap) => gap > MISSED_MS).length,
    frames: gaps.length,
  };
}
