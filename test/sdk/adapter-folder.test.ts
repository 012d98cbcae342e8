import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { copyAdapterFolder, readAdapterFolder } from "lad";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "lad-folder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));

it("tells what an adapter's files say, with or without lad's own", async () => {
  write("adapter_config.json", { r: 8, lora_alpha: 16, target_modules: ["q_proj", "v_proj"] });
  const plain = await readAdapterFolder(folder);
  expect(plain).toMatchObject({ folder, rank: 8, alpha: 16, targets: ["q_proj", "v_proj"] });
  expect(plain.saved).toBeInstanceOf(Date);
  expect([plain.baseName, plain.attention, plain.steps]).toEqual([undefined, undefined, undefined]);
  write("lad.json", { base_name: "tiny", attention: "causal-prefix", steps: 300 });
  expect(await readAdapterFolder(folder)).toMatchObject({
    baseName: "tiny",
    attention: "causal-prefix",
    steps: 300,
  });
});

it("takes target modules that are one text, as PEFT writes all-linear", async () => {
  write("adapter_config.json", { r: 8, lora_alpha: 16, target_modules: "all-linear" });
  expect((await readAdapterFolder(folder)).targets).toEqual(["all-linear"]);
});

it("reads no pipe, and nothing that no configuration is as long as", async () => {
  const odd = join(folder, "odd");
  mkdirSync(odd);
  await execa("mkfifo", [join(odd, "adapter_config.json")]);
  await expect(readAdapterFolder(odd)).rejects.toMatchObject({ code: "invalid-file" });
  rmSync(join(odd, "adapter_config.json"));
  writeFileSync(join(odd, "adapter_config.json"), `{"r": 8, "note": "${"x".repeat(2 ** 20)}"}`);
  await expect(readAdapterFolder(odd)).rejects.toMatchObject({ code: "invalid-file" });
});

it("refuses a folder without an adapter, and files that are damaged", async () => {
  await expect(readAdapterFolder(tmpdir())).rejects.toMatchObject({ code: "not-found", option: "folder" });
  writeFileSync(join(folder, "adapter_config.json"), "{");
  await expect(readAdapterFolder(folder)).rejects.toMatchObject({ code: "invalid-file" });
});

describe("a copy of an adapter's folder", () => {
  const source = join(folder, "source");
  const fill = (place: string, files: Readonly<Record<string, string>>) => {
    mkdirSync(place, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text);
  };
  const FILES = { "adapter_config.json": '{"r":4,"lora_alpha":4,"target_modules":["q_proj"]}' };

  it("has the adapter's files, and none that others put beside them", async () => {
    fill(source, { ...FILES, "adapter_model.safetensors": "weights", "lad.json": "{}", "notes.txt": "mine" });
    const target = join(folder, "copies", "first");
    await copyAdapterFolder(source, target);
    expect(readdirSync(target).sort()).toEqual([
      "adapter_config.json",
      "adapter_model.safetensors",
      "lad.json",
    ]);
    expect(readFileSync(join(target, "adapter_model.safetensors"), "utf8")).toBe("weights");
  });

  it("is made by one of several at once, and the others are told", async () => {
    const target = join(folder, "copies", "raced");
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => copyAdapterFolder(source, target)),
    );
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(refused).toHaveLength(7);
    for (const error of refused) expect(error).toMatchObject({ code: "already-exists", option: "folder" });
    expect(readdirSync(join(folder, "copies")).filter((name) => name.startsWith("raced"))).toEqual(["raced"]);
  });

  it("is not begun without weights", async () => {
    const bare = join(folder, "without-weights");
    fill(bare, FILES);
    await expect(copyAdapterFolder(bare, join(folder, "copies", "none"))).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringContaining("adapter_model.safetensors is missing"),
    });
    expect(readdirSync(join(folder, "copies"))).not.toContain("none");
  });

  it("removes what a killed process left beside it", async () => {
    const target = join(folder, "copies", "left");
    await copyAdapterFolder(source, target);
    const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);
    const gone = `${target}.new-${machine}-${2 ** 22 + 1}-00000000`; // beyond the numbers of processes
    fill(gone, FILES);
    await expect(copyAdapterFolder(source, target)).rejects.toMatchObject({ code: "already-exists" });
    expect(existsSync(gone)).toBe(false);
  });
});
