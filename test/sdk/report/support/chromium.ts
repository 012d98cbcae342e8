/** Debian's Chromium, driven by playwright-core, which brings no browser of its own. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where a browser is; undefined where there is none. */
export const chromiumPath = PATHS.find((path) => existsSync(path));

export function launchChromium(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(`There is no Chromium: none of ${PATHS.join(", ")}.`);
  return chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
}
