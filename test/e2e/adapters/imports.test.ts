/** Files of torch.save and LLaDA's checkpoints, as adapters and bases of a worker; nothing in them runs. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { announceWorker, llada, type Runtime } from "lad";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { pythonOfCheckout, root } from "../../../sdk/tools/checkout.js";
import { lad, lines } from "../../sdk/cli/support.js";
import { scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const home = join(scratch, "home");
const published = join(scratch, "published");
const diffusion = join(scratch, "llada");

/** The stub as LAD's authors save a model, its folder without weights beside it; a hostile file; and a LLaDA. */
const MAKE = `
import os, sys
from pathlib import Path
import torch
from safetensors.torch import load_file
from lad_runtime.torch_backend.loading.stub import CONFIG, write_stub
from test_llada import random_weights, write_llada

published, llada = Path(sys.argv[1]), Path(sys.argv[2])
published.mkdir(), llada.mkdir()
write_stub(published, seed=0)
weights = load_file(published / "model.safetensors")
(published / "model.safetensors").unlink()
torch.manual_seed(1)
state = {}
for name, tensor in weights.items():
    if name.endswith(("q_proj.weight", "v_proj.weight")):
        module = "llama.base_model.model." + name.removesuffix(".weight")
        outputs, inputs = tensor.shape
        state[f"{module}.base_layer.weight"] = tensor
        state[f"{module}.lora_A.default.weight"] = torch.randn(4, inputs)
        state[f"{module}.lora_B.default.weight"] = torch.randn(outputs, 4)
    else:
        state["llama.base_model.model." + name] = tensor
torch.save(state, published / "model_8B_LAD.pth")

class Hostile:
    def __reduce__(self):
        return os.system, (f"touch {published / 'ran'}",)

torch.save(state | {"more": Hostile()}, published / "hostile.pth")
write_llada(llada, random_weights())
`;

let runtime: Runtime;

beforeAll(async () => {
  vi.stubEnv("LAD_HOME", home);
  const { python, env } = pythonOfCheckout();
  const folders = ["runtime", "test/runtime/support", "test/runtime/loading"];
  const path = folders.map((folder) => join(root, folder)).join(":");
  await execa(python, ["-c", MAKE, published, diffusion], { env: { ...env, PYTHONPATH: path } });
  runtime = await startRuntime(join(scratch, "state"));
  await announceWorker(runtime.connection);
});
afterAll(async () => {
  await runtime.close();
  vi.unstubAllEnvs();
});

describe("a file of torch.save", () => {
  it("gives an adapter onto the base that it was trained on, and a base of its own", async () => {
    const file = join(published, "model_8B_LAD.pth");
    const [base, whole] = [await runtime.loadBase("stub"), await runtime.loadBase(file)];
    await using adapter = await base.loadAdapter(file);
    await using same = await whole.loadAdapter(file);
    expect(adapter.info).toMatchObject({ rank: 4, alpha: 4, targets: ["q_proj", "v_proj"] });
    expect(adapter.info.claims).toBeUndefined();
    expect((await adapter.check()).moves).toBe(true);
    const asked = { messages: "Say abc.", answerTokens: 12, policy: "refine", frames: false } as const;
    const [first, second] = await Promise.all([adapter.sample(asked).result(), same.sample(asked).result()]);
    expect(second.ids).toEqual(first.ids);
    expect(whole.info.warnings.join()).toContain("holds a LoRA adapter too");
  });

  it("that would run something is refused, and runs nothing", async () => {
    const base = await runtime.loadBase("stub");
    const file = join(published, "hostile.pth");
    await expect(base.loadAdapter(file)).rejects.toMatchObject({
      code: "invalid-file",
      message: expect.stringContaining("posix.system"),
    });
    await expect(runtime.loadBase(file)).rejects.toMatchObject({ code: "invalid-file" });
    expect(existsSync(join(published, "ran"))).toBe(false);
    expect(readdirSync(join(scratch, "state", "transfers"))).toEqual([]);
    await expect(base.loadAdapter(join(published, "none.pth"))).rejects.toMatchObject({ code: "not-found" });
  });

  it("is imported by a command, and used from then on", async () => {
    const file = join(published, "model_8B_LAD.pth");
    expect(await lad(["adapters", "import", file])).toMatchObject({
      status: 2,
      err: expect.stringContaining("Give --base."),
    });
    expect((await lad(["adapters", "import", file, "--base", "stub", "--name", "theirs"])).out).toBe(
      "theirs\n",
    );
    const [kept] = lines((await lad(["adapters", "list", "--json"])).out);
    expect(kept).toMatchObject({ name: "theirs", rank: 4 });
    const asked = ["sample", "Say abc.", "--adapter", "theirs", "--base", "stub", "--answer-tokens", "6"];
    expect(await lad(asked)).toMatchObject({ status: 0 });
  });
});

describe("LLaDA", () => {
  it("is a base whose adapters denoise with it, and which is merged into a Llama", async () => {
    const base = await runtime.loadBase(diffusion);
    expect(base.info.maskToken).toBe("<mask>");
    await using adapter = await base.createAdapter({ rank: 1 });
    const messages = "Say abc.";
    const answer = await adapter.sample({
      messages,
      answerTokens: 8,
      attention: "full",
      policy: llada({ iterations: 4 }),
    });
    expect((await answer.result()).ids.length).toBeLessThanOrEqual(8);
    const merged = join(scratch, "as-llama");
    await adapter.merge(merged);
    const llama = await runtime.loadBase(merged);
    await using again = await llama.createAdapter({ rank: 1 });
    const asked = { messages, answerTokens: 8, policy: "refine", frames: false } as const;
    expect((await again.sample(asked).result()).ids).toEqual((await adapter.sample(asked).result()).ids);
  });
});
