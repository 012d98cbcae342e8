/** Takes the pictures of docs/demo.md: `LAD_HOME=… node --import tsx sdk/tools/demo/pictures.ts`, where an adapter on `tiny` is kept. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { root } from "../checkout.js";
import { ended, withDemo } from "./driving.js";

const FOLDER = join(root, "docs/images");

await mkdir(FOLDER, { recursive: true });
await withDemo("tiny", async (browser, url) => {
  const page = await browser.newPage({ viewport: { width: 1120, height: 720 } });
  await page.goto(url);
  await denoise(page);
  await noise(page);
  await training(page);
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

async function noise(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "Noise lab" }).click();
  await page.getByText("400 draws", { exact: true }).waitFor();
  for (const kind of ["Duplications", "Span shift"]) {
    await page.getByLabel(kind, { exact: true }).focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
  }
  await page.waitForLoadState("networkidle");
  await page.getByRole("button", { name: "Repair it" }).click();
  await ended(page);
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  await page.locator(".compare td.repair").first().waitFor();
  await page.locator('.compare[aria-busy="false"]').waitFor();
  await taken(page, "demo-noise.png");
}

async function training(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "Training" }).click();
  await page.getByLabel("Steps", { exact: true }).fill("120");
  await page.getByRole("button", { name: "Train an adapter" }).click();
  await page.getByText("finished, 120 of 120 steps").waitFor({ timeout: 600_000 });
  await page.getByText("step 120", { exact: true }).waitFor();
  await taken(page, "demo-training.png");
}

async function taken(page: Page, name: string): Promise<void> {
  await page.evaluate("document.activeElement.blur()");
  await page.evaluate("scrollTo(0, 0)");
  await page.screenshot({ path: join(FOLDER, name), animations: "disabled", fullPage: true });
}
