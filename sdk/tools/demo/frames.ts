/**
 * Measures how smoothly the demo draws while an answer of 128 tokens denoises at every pace, by the times between the browser's own frames:
 * `LAD_HOME=… node --import tsx sdk/tools/demo/frames.ts`. Prints a line of JSON.
 */
import type { Page } from "playwright-core";
import { ended, withDemo } from "./driving.js";

/** A frame that took longer was missed by a screen of 60 frames a second. */
const MISSED_MS = 25;

await withDemo(async (browser, url) => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
  await page.getByText("Draft, seed and length").click();
  await page.getByLabel("answer tokens").fill("128");
  await page.getByText("Settings").first().click();
  await page.getByLabel("early stop").first().uncheck();
  await page.getByLabel("Pace").selectOption("as computed");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await ended(page); // the run is computed: what is measured is the page, not the worker on the same cores
  const paces: Record<string, object> = {};
  for (const pace of ["steady", "quick", "as computed"]) paces[pace] = await played(page, pace);
  const tokens = await page.getByRole("listbox").first().locator(".token").count();
  console.log(JSON.stringify({ tokens, paces }));
});

/** Plays the answer from its beginning, and reads the times between frames. */
async function played(page: Page, pace: string) {
  await page.getByLabel("Pace").selectOption(pace);
  await page.evaluate(`(() => {
    window.times = [];
    const tick = (now) => { window.times.push(now); window.ticking = requestAnimationFrame(tick); };
    window.ticking = requestAnimationFrame(tick);
  })()`);
  await page.getByRole("button", { name: "Play lane 1" }).first().click();
  await ended(page);
  const times = (await page.evaluate("cancelAnimationFrame(window.ticking), window.times")) as number[];
  const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
  const sorted = [...gaps].sort((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1));
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  return {
    framesPerSecond: Number((gaps.length / seconds).toFixed(1)),
    medianMs: at(0.5),
    p99Ms: at(0.99),
    missed: gaps.filter((gap) => gap > MISSED_MS).length,
    frames: gaps.length,
  };
}
