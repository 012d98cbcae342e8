/**
 * Takes pictures of a report in Chromium: `npx tsx test/sdk/report/support/screenshot.ts <index.html> <folder>`. Without arguments, of
 * the sample report, in a folder of its own.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { launchChromium } from "./chromium.js";
import { sampleReport } from "./sample.js";

const folder = resolve(process.argv[3] ?? (await mkdtemp(join(tmpdir(), "lad-report-"))));
const page = process.argv[2] ?? (await sampleReport().write(folder)).html;
const browser = await launchChromium();
for (const width of [390, 1440]) {
  for (const colorScheme of ["light", "dark"] as const) {
    const shot = await browser.newPage({
      colorScheme,
      viewport: { width, height: 900 },
      deviceScaleFactor: 1,
    });
    await shot.goto(pathToFileURL(resolve(page)).href);
    const path = join(folder, `${width}-${colorScheme}.png`);
    await shot.screenshot({ path, fullPage: true });
    console.log(path);
    await shot.close();
  }
}
await browser.close();
