/**
 * Takes pictures of a report in Chromium: `npx tsx test/sdk/report/support/screenshot.ts <folder> [index.html]`. Without a
 * page, of the sample report, which it writes into the folder.
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { launchChromium } from "./chromium.js";
import { sampleReport } from "./sample.js";

const [given = "report", path] = process.argv.slice(2);
const folder = resolve(given);
const page = path ?? (await sampleReport().write(folder)).html;
const browser = await launchChromium();
for (const width of [390, 1440]) {
  for (const colorScheme of ["light", "dark"] as const) {
    const shot = await browser.newPage({
      colorScheme,
      viewport: { width, height: 900 },
      deviceScaleFactor: 1,
    });
    await shot.goto(pathToFileURL(resolve(page)).href);
    const picture = join(folder, `${width}-${colorScheme}.png`);
    await shot.screenshot({ path: picture, fullPage: true });
    console.log(picture);
    await shot.close();
  }
}
await browser.close();
