/** Makes what is published of the last commit, in a folder of its own. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { pythonOfCheckout } from "../checkout.js";
import { type Addresses, manifestWith, pyprojectWith } from "./addresses.js";

/** One file that is published, and the paths of the files in it. */
export interface Artefact {
  readonly file: string;
  readonly files: readonly string[];
}

/** The package of npm, and the worker's two of PyPI. */
export interface Artefacts {
  readonly npm: Artefact;
  readonly wheel: Artefact;
  readonly sdist: Artefact;
}

/**
 * Writes the artefacts into a folder.
 *
 * @param addresses - what both packages say of where the project is; undefined: nothing
 */
export async function makeArtefacts(
  root: string,
  folder: string,
  addresses: Addresses | undefined,
): Promise<Artefacts> {
  const stage = await mkdtemp(join(tmpdir(), "lad-stage-"));
  try {
    await stageCommit(root, stage);
    if (addresses !== undefined) {
      await rewrite(join(stage, "package.json"), (text) => manifestWith(text, addresses));
      await rewrite(join(stage, "runtime/pyproject.toml"), (text) => pyprojectWith(text, addresses));
    }
    await execa("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: stage });
    await makePython(root, join(stage, "runtime"), folder);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
  const names = await readdir(folder);
  const artefact = async (ending: string) => {
    const file = names.find((name) => name.endsWith(ending)) ?? "";
    return { file, files: await listed(join(folder, file)) };
  };
  return {
    npm: await artefact(".tgz"),
    wheel: await artefact(".whl"),
    sdist: await artefact(".tar.gz"),
  };
}

/** The commit's files, with the checkout's node_modules to build them and the licence in the Python package. */
async function stageCommit(root: string, stage: string): Promise<void> {
  const archive = join(stage, "commit.tar");
  await execa("git", ["archive", "--output", archive, "HEAD"], { cwd: root });
  await execa("tar", ["-xf", archive], { cwd: stage });
  await rm(archive);
  await symlink(join(root, "node_modules"), join(stage, "node_modules"));
  await copyFile(join(stage, "LICENSE"), join(stage, "runtime/LICENSE"));
}

/** The wheel and the source distribution, made and checked by PyPA's own tools in an environment of their own. */
async function makePython(root: string, runtime: string, folder: string): Promise<void> {
  const environment = await mkdtemp(join(tmpdir(), "lad-release-tools-"));
  try {
    await execa(pythonOfCheckout().python, ["-m", "venv", environment]);
    const python = join(environment, "bin/python");
    const requirements = join(root, "sdk/tools/release/requirements.txt");
    await execa(python, ["-m", "pip", "install", "--quiet", "--requirement", requirements]);
    const out = join(environment, "out");
    await mkdir(out);
    await execa(python, ["-m", "build", "--outdir", out, runtime]);
    const made = (await readdir(out)).map((name) => join(out, name));
    await execa(python, ["-m", "twine", "check", "--strict", ...made]);
    for (const path of made) await copyFile(path, join(folder, path.slice(out.length + 1)));
  } finally {
    await rm(environment, { recursive: true, force: true });
  }
}

/** The files in an archive, without the folder that they all lie in. */
async function listed(archive: string): Promise<string[]> {
  const isZip = archive.endsWith(".whl");
  const names = "import sys, zipfile; print('\\n'.join(zipfile.ZipFile(sys.argv[1]).namelist()))";
  const { stdout } = isZip
    ? await execa(pythonOfCheckout().python, ["-c", names, archive])
    : await execa("tar", ["-tzf", archive]);
  const files = stdout.split("\n").filter((path) => !path.endsWith("/"));
  return files.map((path) => (isZip ? path : path.slice(path.indexOf("/") + 1))).sort();
}

async function rewrite(path: string, how: (text: string) => string): Promise<void> {
  await writeFile(path, how(await readFile(path, "utf8")));
}
