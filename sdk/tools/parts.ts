/** Divides the worker's tests, so that two processes can share them. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** The files that pytest finds in a folder, in parts that take about as long as each other: those of equally much text. */
export async function partsOfTests(folder: string, count: number): Promise<string[][]> {
  const names = await readdir(folder, { recursive: true });
  const tests = names.filter((name) => /(^|\/)(test_[^/]*|[^/]*_test)\.py$/.test(name)).sort();
  const files = tests.map(async (name) => {
    const path = join(folder, name);
    return { path, size: (await stat(path)).size };
  });
  return parts(await Promise.all(files), count).map((part) => part.map(({ path }) => path).sort());
}

/** Parts of about the same size: the largest comes first, each to the part that is the smallest so far. */
export function parts<Item extends { readonly size: number }>(
  items: readonly Item[],
  count: number,
): Item[][] {
  const made = Array.from({ length: count }, () => ({ size: 0, items: [] as Item[] }));
  for (const item of items.toSorted((a, b) => b.size - a.size)) {
    const smallest = made.reduce((least, part) => (part.size < least.size ? part : least));
    smallest.items.push(item);
    smallest.size += item.size;
  }
  return made.map((part) => part.items).filter((part) => part.length > 0);
}
