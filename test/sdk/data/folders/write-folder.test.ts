/** Folders that are written whole, whatever else is written there at the same time. */
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { besides } from "../../../../sdk/src/data/folders/leftovers.js";
import { OF_A_MERGE } from "../../../../sdk/src/data/folders/own-files.js";
import { writeFolder } from "../../../../sdk/src/data/folders/write-folder.js";
import { testFolder } from "../../support/folders.js";

const config = { name: "adapter_config.json", data: Buffer.from("{}") };
const claims = { format: 2, base_name: "stub", base_revision: "ab", attention: "full", steps: 7 };
const merge = {
  "config.json": "{}",
  "model.safetensors": "weights",
  "tokenizer.json": "{}",
  "lad.json": JSON.stringify(claims),
};

/** The pieces of an adapter, once `before` has happened. */
async function* pieces(before: () => Promise<unknown> = async () => {}, data = config.data) {
  await before();
  yield { ...config, data };
}

async function filled(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

const target = () => join(testFolder(), "out");
const around = async (folder: string) => (await readdir(join(folder, ".."))).sort();

describe("a folder that is made while another is written in its place", () => {
  it.each([false, true])("is left as it is, with overwrite: %s", async (overwrite) => {
    const folder = target();
    const meanwhile = () => filled(folder, { "thesis.txt": "mine" });
    await expect(writeFolder(folder, pieces(meanwhile), { overwrite })).rejects.toMatchObject({
      code: "already-exists",
      option: "folder",
    });
    expect(await readFile(join(folder, "thesis.txt"), "utf8")).toBe("mine");
    expect(await around(folder)).toEqual(["out"]);
  });

  it("is left as it is if it took the place of one that may be replaced", async () => {
    const folder = target();
    await writeFolder(folder, pieces(), { overwrite: false });
    const meanwhile = () => filled(folder, { "thesis.txt": "mine" });
    const written = writeFolder(folder, pieces(meanwhile), { overwrite: true });
    await expect(written).rejects.toMatchObject({ remedy: expect.stringContaining("thesis.txt") });
    expect((await readdir(folder)).sort()).toEqual(["adapter_config.json", "thesis.txt"]);
    expect(await around(folder)).toEqual(["out"]);
  });

  it("is left as it is if it is empty", async () => {
    const folder = target();
    const written = writeFolder(
      folder,
      pieces(() => mkdir(folder)),
      { overwrite: false },
    );
    await expect(written).rejects.toMatchObject({ code: "already-exists" });
    expect(await readdir(folder)).toEqual([]);
  });

  it("is left as it is if it is a file", async () => {
    const folder = target();
    const meanwhile = () => writeFile(folder, "mine");
    const written = writeFolder(folder, pieces(meanwhile), { overwrite: true });
    await expect(written).rejects.toMatchObject({ code: "already-exists" });
    expect(await readFile(folder, "utf8")).toBe("mine");
  });
});

describe("several writers into one folder at once", () => {
  async function written(overwrite: boolean) {
    const folder = target();
    let waiting = 0;
    let start = () => {};
    const all = new Promise<void>((resolve) => {
      start = resolve;
    });
    const together = async () => {
      waiting += 1;
      if (waiting === 3) start();
      await all;
    };
    const contents = ["a", "b", "c"].map((text) => Buffer.from(text));
    const done = await Promise.allSettled(
      contents.map((data) => writeFolder(folder, pieces(together, data), { overwrite })),
    );
    return { folder, done };
  }

  it("are one that succeeds and others that are told", async () => {
    const { folder, done } = await written(false);
    expect(done.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const each of done) {
      if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "already-exists" });
    }
    const winner = "abc"[done.findIndex(({ status }) => status === "fulfilled")];
    expect(await readFile(join(folder, config.name), "utf8")).toBe(winner);
    expect(await around(folder)).toEqual(["out"]);
  });

  it("replace each other where they may, and leave one whole folder", async () => {
    const { folder, done } = await written(true);
    expect(done.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
    expect(await readdir(folder)).toEqual([config.name]);
    expect(await around(folder)).toEqual(["out"]);
  });
});

describe("a merge", () => {
  const over = (folder: string) => writeFolder(folder, pieces(), { overwrite: true, own: OF_A_MERGE });

  it("replaces an older merge, and an empty folder", async () => {
    const folder = target();
    await mkdir(folder);
    await over(folder);
    expect(await readdir(folder)).toEqual([config.name]);
    const other = target();
    await filled(other, merge);
    await over(other);
    expect(await readdir(other)).toEqual([config.name]);
  });

  it.each([
    ["no lad.json", undefined],
    ["one that is damaged", "{"],
    ["one that is null", "null"],
    ["one of something else", '{"format": 2, "name": "lad"}'],
    ["one without a format", JSON.stringify({ ...claims, format: undefined })],
  ])("never replaces a model of the same files with %s", async (_, text) => {
    const folder = target();
    const { "lad.json": _own, ...model } = merge;
    await filled(folder, text === undefined ? model : { ...model, "lad.json": text });
    await expect(over(folder)).rejects.toMatchObject({
      code: "already-exists",
      remedy: expect.stringContaining("lad.json"),
    });
    expect(await readFile(join(folder, "model.safetensors"), "utf8")).toBe("weights");
  });

  it("never replaces what holds a folder, whatever its name", async () => {
    const folder = target();
    await filled(folder, merge);
    await filled(join(folder, "README.md"), { "thesis.txt": "mine" });
    await expect(over(folder)).rejects.toMatchObject({ remedy: expect.stringContaining("README.md") });
    expect(await readdir(join(folder, "README.md"))).toEqual(["thesis.txt"]);
  });
});

describe("what a killed writer left", () => {
  /** The name of a folder that this process would write, as if a process that has ended had done so. */
  function leftBy(folder: string): string {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    return besides(folder).replace(`-${process.pid}-`, `-${pid}-`);
  }

  it("is removed by the next one, and nothing else is", async () => {
    const folder = target();
    const dead = leftBy(folder);
    const foreign = leftBy(folder);
    const elsewhere = leftBy(folder).replace(/new-[0-9a-f]{6}/, "new-zzzzzz");
    const others = [besides(folder), foreign, elsewhere, `${folder}.new-model`, `${folder}2`];
    const { "lad.json": _, ...partial } = merge;
    await filled(dead, partial);
    for (const other of others) await filled(other, other === foreign ? { "thesis.txt": "mine" } : partial);
    await writeFolder(folder, pieces(), { overwrite: false });
    const kept = [folder, ...others].map((path) => basename(path));
    expect(await around(folder)).toEqual(kept.sort());
  });

  it("is put back if it was to be replaced and nothing took its place", async () => {
    const folder = target();
    await filled(`${leftBy(folder)}.old`, merge);
    await expect(writeFolder(folder, pieces(), { overwrite: false })).rejects.toMatchObject({
      code: "already-exists",
    });
    expect((await readdir(folder)).sort()).toEqual(Object.keys(merge).sort());
    expect(await around(folder)).toEqual(["out"]);
  });

  it("is removed if it was replaced, unless it is not lad's own", async () => {
    const folder = target();
    const thesis = `${leftBy(folder)}.old`;
    await filled(folder, { [config.name]: "{}" });
    await filled(`${leftBy(folder)}.old`, merge);
    await filled(thesis, { "thesis.txt": "mine" });
    await writeFolder(folder, pieces(), { overwrite: true });
    expect(await around(folder)).toEqual(["out", basename(thesis)].sort());
  });
});
