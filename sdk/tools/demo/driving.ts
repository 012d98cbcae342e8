/** A demo that is served for a program, and a browser on it. */
import { existsSync } from "node:fs";
import { execa } from "execa";
import { type Browser, chromium, type Page } from "playwright-core";
import { inFolder } from "../checkout.js";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts `lad demo` on a base and its adapters of this checkout, or of `LAD_HOME`, and hands over its address and a browser. */
export async function withDemo(
  base: string,
  act: (browser: Browser, url: string) => Promise<void>,
): Promise<void> {
  const executablePath = PATHS.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error(`There is no Chromium: none of ${PATHS.join(", ")}.`);
  const words = ["--import", "tsx", "sdk/src/cli/main.ts", "demo", "--base", base, "--json"];
  const serving = execa(process.execPath, words, { ...inFolder(), stdout: "pipe", reject: false });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    for await (const line of serving.iterable()) {
      try {
        await act(browser, (JSON.parse(line) as { url: string }).url);
      } finally {
        serving.kill("SIGINT"); // leaving the loop waits for its end
      }
      break;
    }
  } finally {
    serving.kill("SIGINT");
    await browser.close();
    await serving;
  }
}

/** Waits until every lane of the demo on display has played to its end. */
export async function ended(page: Page): Promise<void> {
  const calm = '[role="tabpanel"]:not([hidden]):has(.lane .player):not(:has(.lane[aria-busy="true"]))';
  await page.locator(calm).waitFor({ timeout: 120_000 });
}
