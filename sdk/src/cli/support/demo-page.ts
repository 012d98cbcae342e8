/** The built page of the demo: part of a package; in a checkout it is built where it is absent or older than its sources. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { LadError } from "../../index.js";
import { locateRuntime } from "../../setup/locate.js";
import { withLock } from "../../setup/lock.mjs";

/**
 * The page's folder.
 *
 * @param onBuild - called before a build, which takes a second or two
 * @throws LadError `not-found` where it can neither be found nor built
 */
export async function demoPage(onBuild: () => void): Promise<string> {
  const { packageFolder, isCheckout } = locateRuntime();
  const page = join(packageFolder, "sdk/dist/web");
  const built = join(page, "index.html");
  const sources = join(packageFolder, "sdk/web");
  const isFresh = () => existsSync(built) && (!isCheckout || lastChange(sources) <= statSync(built).mtimeMs);
  if (isFresh()) return page;
  if (!isCheckout) {
    throw new LadError("not-found", `The demo's page ${built} does not exist.`, {
      remedy: "Install lad again: the file is part of the package.",
    });
  }
  await withLock(join(packageFolder, ".lad/web.lock"), async () => {
    if (isFresh()) return;
    onBuild();
    const words = ["build", "--config", "sdk/web/vite.config.ts"];
    await execa("vite", words, { cwd: packageFolder, preferLocal: true, stdio: ["ignore", 2, 2] });
  });
  return page;
}

/** When a file below a folder was last written, in milliseconds since 1970. */
function lastChange(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}
