/** The notebook of `examples/`, as a kernel runs it: its cells in their order, in one interpreter. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { locateRuntime } from "../../../sdk/src/setup/locate.js";

interface Cell {
  readonly cell_type: "code" | "markdown";
  readonly id: string;
  readonly metadata: { readonly tags?: readonly string[] };
  readonly source: readonly string[];
  readonly outputs?: readonly unknown[];
  readonly execution_count?: number | null;
}

interface Notebook {
  readonly cells: readonly Cell[];
  readonly nbformat: number;
  readonly nbformat_minor: number;
}

const file = resolve(import.meta.dirname, "../../../examples/notebook.ipynb");
const { cells, nbformat, nbformat_minor } = JSON.parse(readFileSync(file, "utf8")) as Notebook;
const code = cells.filter((cell) => cell.cell_type === "code");

/** In the place of the cell that is tagged `parameters`. */
const SMALL = 'BASE = "stub"\nWINDOW = 160\nSTEPS = 3\nQUESTION = "Say abc."\n';

it("is of nbformat 4.5, with an id for every cell and without outputs", () => {
  expect([nbformat, nbformat_minor]).toEqual([4, 5]);
  expect(new Set(cells.map(({ id }) => id)).size).toBe(cells.length);
  for (const { id } of cells) expect(id).toMatch(/^[\w-]{1,64}$/);
  for (const { outputs, execution_count } of code) expect([outputs, execution_count]).toEqual([[], null]);
});

it("trains and samples on a worker of its own, over the protocol, without PyTorch", async () => {
  const words = code.map(({ metadata, source }) =>
    metadata.tags?.includes("parameters") ? SMALL : source.join(""),
  );
  const { python, runtimeFolder } = locateRuntime();
  const program = [...words, "assert 'torch' not in sys.modules"].join("\n\n");
  const { stdout } = await execa(python, ["-c", program], {
    cwd: join(file, ".."),
    env: { PYTHONPATH: runtimeFolder, OMP_NUM_THREADS: "1" },
  });
  expect(stdout).toContain("stub: 8,864 parameters, of the adapter ");
  expect(stdout).toMatch(/^step 3: \d+\.\d{3} nats a corrupted token$/m);
  expect(stdout).toMatch(/^\(\d+ forwards\)$/m);
  expect(stdout).toMatch(/^the worker ended with status 0$/m);
});
