/**
 * Makes and checks what is published, and prints what a person types to publish it: `npm run release`. It publishes nothing itself.
 *
 *     tsx sdk/tools/release.ts [--dry-run]
 *
 * The npm package, and the worker as a Python wheel and source distribution, are made of the last commit, installed in empty folders, and
 * left in `.lad/release/<version>`. `--dry-run` makes and checks them too, names every problem, and leaves nothing.
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { execa } from "execa";
import { inFolder, root } from "./checkout.js";
import { BASELINE } from "./gen.js";
import { addressesOf } from "./release/addresses.js";
import { type Artefacts, makeArtefacts } from "./release/artefacts.js";
import { contentProblems } from "./release/contents.js";
import { installProblems } from "./release/installing.js";
import { checkoutProblems, versionOf } from "./release/problems.js";

const dryRun = process.argv.includes("--dry-run");
const version = versionOf(root);
const folder = dryRun ? await mkdtemp(join(tmpdir(), "lad-release-")) : join(root, ".lad/release", version);
const problems = [...(await checkoutProblems(root)), ...(await baselineProblems())];
if (dryRun || problems.length === 0) await makeAndCheck();
if (dryRun || problems.length > 0) await rm(folder, { recursive: true, force: true });

for (const problem of problems) console.error(`- ${problem}`);
if (problems.length > 0) console.error(`${version} is not released: ${problems.length} to be mended.`);
else if (dryRun) console.error(`${version} can be released.`);
process.exitCode = problems.length > 0 ? 1 : 0;

async function makeAndCheck(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const addresses = addressesOf(root);
  const made = await makeArtefacts(root, folder, addresses);
  for (const { file, files } of Object.values(made)) {
    console.log(`${file}: ${files.length} files`);
    for (const path of files) console.log(`    ${path}`);
  }
  const expected = { version, addresses: addresses !== undefined };
  problems.push(...contentProblems(made), ...(await installProblems(folder, made, expected)));
  if (!dryRun && problems.length === 0) console.error(howToPublish(made));
}

/** Whether the protocol that later changes are checked against is the one that is released. */
async function baselineProblems(): Promise<string[]> {
  const scratch = await mkdtemp(join(tmpdir(), "lad-baseline-"));
  const now = join(scratch, "now.binpb");
  try {
    await execa("buf", ["build", "proto", "--exclude-source-info", "--output", now], inFolder());
    if ((await readFile(now)).equals(await readFile(join(root, BASELINE)))) return [];
    return [`${BASELINE} is not the protocol of proto/: record it with \`npm run gen -- --baseline\`.`];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function howToPublish({ npm, wheel, sdist }: Artefacts): string {
  const place = (file: string) => relative(process.cwd(), join(folder, file));
  return [
    `\n${version} is made and checked. To publish it, as someone who may:\n`,
    `    git tag -a v${version} -m ${version} && git push origin v${version}`,
    `    npm publish ${place(npm.file)}`,
    `    python -m twine upload ${place(wheel.file)} ${place(sdist.file)}`,
  ].join("\n");
}
