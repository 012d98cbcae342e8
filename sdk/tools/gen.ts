/**
 * Makes the TypeScript and Python code for `proto/` again, and the texts of the options from their comments: `npm run gen`.
 *
 * `--check` makes it in a temporary folder and fails where it differs from what is committed. `--baseline` records the
 * protocol as published; later changes are checked against it (`buf breaking`).
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { inFolder, pythonOfCheckout, root } from "./checkout.js";
import { meaningsSource } from "./meanings.js";
import { methodsSource } from "./methods.js";

const TYPESCRIPT = "sdk/src/gen";
const PYTHON = "runtime/lad_runtime/gen";
export const BASELINE = "proto/baseline.binpb";

/** Writes both languages' code below `target`, a checkout's root or an empty folder. */
export async function generate(target: string): Promise<void> {
  await generateTypeScript(target);
  await generatePython(join(target, PYTHON));
}

/** Paths of generated files that differ from the committed ones, are missing or are left over; empty when all is well. */
export async function staleFiles(): Promise<string[]> {
  const fresh = await mkdtemp(join(tmpdir(), "lad-gen-"));
  try {
    await generate(fresh);
    const stale: string[] = [];
    for (const folder of [TYPESCRIPT, PYTHON]) {
      const [made, kept] = await Promise.all([contents(join(fresh, folder)), contents(join(root, folder))]);
      for (const path of new Set([...made.keys(), ...kept.keys()])) {
        if (made.get(path) !== kept.get(path)) stale.push(join(folder, path));
      }
    }
    return stale.sort();
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function generateTypeScript(target: string): Promise<void> {
  const template = "proto/buf.gen.yaml";
  await execa("buf", ["generate", "proto", "--template", template, "--output", target], inFolder());
  await writeFile(join(target, TYPESCRIPT, "lad/v1/methods.ts"), await methodsSource());
  await writeFile(join(target, TYPESCRIPT, "meanings.ts"), meaningsSource());
}

async function generatePython(out: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  const scratch = await mkdtemp(join(tmpdir(), "lad-gen-python-"));
  try {
    const files = (await filesBelow(join(root, "proto"))).filter((path) => path.endsWith(".proto")).sort();
    const outputs = ["--python_out", "--pyi_out", "--grpc_python_out"].map(
      (option) => `${option}=${scratch}`,
    );
    const { python, env } = pythonOfCheckout();
    await execa(python, ["-m", "grpc_tools.protoc", "-I", "proto", ...outputs, ...files], inFolder(env));
    for (const [path, text] of await contents(scratch)) {
      if (path.endsWith("_pb2_grpc.py") && !text.includes("class ")) continue; // a file without a service
      await inPackage(out, path, text.replaceAll("from lad.v1 import", "from lad_runtime.gen.lad.v1 import"));
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Writes a module and the `__init__.py` of every folder on its way. */
async function inPackage(out: string, path: string, text: string): Promise<void> {
  const parts = path.split("/").slice(0, -1);
  await mkdir(join(out, ...parts), { recursive: true });
  for (let depth = 0; depth <= parts.length; depth += 1) {
    await writeFile(join(out, ...parts.slice(0, depth), "__init__.py"), "");
  }
  await writeFile(join(out, path), text);
}

async function contents(folder: string): Promise<Map<string, string>> {
  const paths = await filesBelow(folder);
  return new Map(
    await Promise.all(
      paths.map(async (path) => [path, await readFile(join(folder, path), "utf8")] as [string, string]),
    ),
  );
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".pyc"))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

async function main(flags: string[]): Promise<void> {
  if (flags.includes("--check")) {
    const stale = await staleFiles();
    if (stale.length > 0) {
      console.error(
        `Generated code is not that of proto/ and of the options' comments; run \`npm run gen\`:\n  ${stale.join("\n  ")}`,
      );
      process.exitCode = 1;
    }
  } else if (flags.includes("--baseline")) {
    await execa("buf", ["build", "proto", "--exclude-source-info", "--output", BASELINE], inFolder());
  } else {
    await generate(root);
  }
}

if (import.meta.filename === process.argv[1]) await main(process.argv.slice(2));
