/** Takes the pictures of docs/demo.md: `LAD_HOME=… node --import tsx sdk/tools/demo/pictures.ts`, where an adapter on `tiny` is kept. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { root } from "../checkout.js";
import { ended, withDemo } from "./driving.js";

const FOLDER = join(root, "docs/images");
const WIDTH = 1120;

await mkdir(FOLDER, { recursive: true });
await withDemo("tiny", async (browser, url) => {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 720 } });
  await page.goto(url);
  await denoise(page);
  await noise(page);
  await training(page);
  await compare(page);
});

/** Two lanes in the middle of their answers. */
async function denoise(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Add a lane" }).click();
  await page.getByLabel("Policy").nth(1).selectOption("speculative");
  await page.getByRole("combobox", { name: "Pace" }).selectOption("as computed");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await ended(page);
  for (const [lane, iteration] of [
    [1, 4],
    [2, 1],
  ] as const) {
    await page
      .getByRole("slider", { name: `Iteration of lane ${lane}` })
      .first()
      .focus();
    await page.keyboard.press("Home");
    for (let i = 0; i < iteration; i++) await page.keyboard.press("ArrowRight");
  }
  await taken(page, "demo-denoise.png");
}

/** The noise lab down to where models repair. */
async function noise(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "Noise lab" }).click();
  await page.getByText("400 draws", { exact: true }).waitFor();
  const drawn = page.waitForResponse((response) => {
    const asked = response.request().postDataJSON() as { shifted?: number } | null;
    return response.url().endsWith("/noise") && asked?.shifted === 0.2; // of the last slider's last step
  });
  for (const kind of ["Duplications", "Span shift"]) {
    await page.getByLabel(kind, { exact: true }).focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
  }
  await (await drawn).finished();
  await page
    .getByRole("listitem")
    .filter({ hasText: /span shift \d+ %/i })
    .first()
    .waitFor();
  await taken(page, "demo-noise.png", await topOf(page, page.getByRole("toolbar", { name: "Repair" })));
}

async function training(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "Training" }).click();
  await page.getByLabel("Steps", { exact: true }).fill("120");
  await page.getByRole("button", { name: "Train an adapter" }).click();
  await page.getByText("finished, 120 of 120 steps").waitFor({ timeout: 600_000 });
  await page.getByText("step 120", { exact: true }).waitFor();
  await taken(page, "demo-training.png");
}

/** The adapter and what was just trained, at its end and on its way, on the same noise. */
async function compare(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "Noise lab" }).click();
  const section = page.getByRole("region", { name: "Adapters compared" });
  await section.getByRole("checkbox", { name: /\(120 steps\)$/ }).check();
  await section
    .getByRole("checkbox", { name: /step \d+ of 120$/ })
    .nth(3)
    .check();
  await section.getByRole("button", { name: "Compare", exact: true }).click();
  await page.locator(".compare td.repair").first().waitFor();
  await page.locator('.compare[aria-busy="false"]').waitFor();
  await page.evaluate("document.activeElement.blur()");
  await section.screenshot({ path: join(FOLDER, "demo-compare.png"), animations: "disabled" });
}

/** Where a part of the page begins, in pixels from the page's top. */
async function topOf(page: Page, part: Locator): Promise<number> {
  await page.evaluate("scrollTo(0, 0)");
  return Math.floor((await part.boundingBox())?.y ?? 0);
}

/** @param height - how much of the page, from its top on. Default: all of it */
async function taken(page: Page, name: string, height?: number): Promise<void> {
  await page.evaluate("document.activeElement.blur()");
  await page.evaluate("scrollTo(0, 0)");
  const cut = height === undefined ? {} : { clip: { x: 0, y: 0, width: WIDTH, height } };
  await page.screenshot({ path: join(FOLDER, name), animations: "disabled", fullPage: true, ...cut });
}
