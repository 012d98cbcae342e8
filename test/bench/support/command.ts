import { resolve } from "node:path";
import { execa } from "execa";

export const root = resolve(import.meta.dirname, "../../..");

/** Runs `bench/main.ts` as package.json's script does. */
export function bench(...words: string[]) {
  const command = ["--import", "tsx", "bench/main.ts", ...words];
  return execa(process.execPath, command, { cwd: root, reject: false });
}
