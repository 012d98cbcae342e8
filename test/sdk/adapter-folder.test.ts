import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { readAdapterFolder } from "lad";
import { afterAll, expect, it } from "vitest";

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
