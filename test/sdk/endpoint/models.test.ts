import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { serveOpenAI } from "../../../sdk/src/endpoint/index.js";
import { AttentionMode } from "../../../sdk/src/gen/lad/v1/training.js";
import { LadError } from "../../../sdk/src/index.js";
import { AdaptersService } from "../../../sdk/src/wire.js";
import { testFolder } from "../support/folders.js";
import { samplingRequests } from "../support/stub-worker.js";
import { adapterMessage, testEndpoint } from "./support.js";

const hello = { messages: [{ role: "user", content: "hi" }] };

/** An adapter of the base `stub`, in files whose content the worker of these tests does not read. */
function savedAdapter(saved = new Date(1000)) {
  const folder = testFolder();
  for (const name of ["adapter_config.json", "adapter_model.safetensors"])
    writeFileSync(join(folder, name), "{}");
  return { name: "mine", baseName: "stub", folder, saved };
}

describe("the models", () => {
  it("are listed by aliases, bases and adapters, in the shape of the API that asks", async () => {
    const { ask } = await testEndpoint([], { aliases: { gpt: "stub:mine" }, adapters: [savedAdapter()] });
    const { data } = await (await ask("/v1/models")).json();
    expect(data.map(({ id }) => id)).toEqual(["gpt", "stub", "stub:mine"]);
    expect(data[2]).toEqual({ id: "stub:mine", object: "model", created: 1, owned_by: "lad" });
    const anthropic = await (
      await ask("/v1/models", undefined, { "anthropic-version": "2023-06-01" })
    ).json();
    expect(anthropic).toMatchObject({ has_more: false, first_id: "gpt", last_id: "stub:mine" });
    expect(anthropic.data[2]).toMatchObject({ type: "model", id: "stub:mine", display_name: "stub:mine" });
    expect(await (await ask("/v1/models/stub%3Amine")).json()).toMatchObject({ id: "stub:mine" });
    expect((await ask("/v1/models/other")).status).toBe(404);
  });

  it("are a base, base:adapter, or an alias; an adapter is loaded once, and denoises", async () => {
    const { ask, transport } = await testEndpoint([{ text: "x" }], {
      aliases: { gpt: "stub:mine" },
      adapters: [savedAdapter()],
    });
    const policies = [];
    for (const model of ["stub", "stub:mine", "gpt"]) {
      const reply = await (await ask("/v1/chat/completions", { ...hello, model })).json();
      policies.push(reply.lad.policy);
    }
    expect(policies).toEqual(["ar", "remask", "remask"]);
    const ids = samplingRequests(transport).map(({ adapterId }) => adapterId);
    expect(ids).toEqual(["", "adapter-2", "adapter-2"]);
    expect(transport.calls.filter(({ path }) => path === AdaptersService.uploadAdapter.path)).toHaveLength(1);
  });

  it("denoise as a base with an adapter in its weights", async () => {
    const { ask } = await testEndpoint([{ text: "x" }], { base: { attention: AttentionMode.PREFIX } });
    const reply = await (await ask("/v1/chat/completions", { ...hello, model: "stub" })).json();
    expect(reply.lad.policy).toBe("remask");
  });

  it("fill what is given in pieces by refine where nobody names a policy", async () => {
    const base = { attention: AttentionMode.PREFIX };
    const { ask, asked } = await testEndpoint([{ text: "x" }], { base });
    const schema = { type: "object", properties: { a: { type: "number" } }, required: ["a"] };
    const format = { type: "json_schema", json_schema: { name: "a", schema } };
    for (const given of [{ response_format: format }, { pins: ["It is ", { gap: 2 }] }]) {
      await ask("/v1/chat/completions", { ...hello, model: "stub", ...given });
      expect(asked().spec.policy.kind).toMatchObject({ $case: "refine", value: { iterations: 4 } });
    }
  });

  it("write from left to right as bases alone, and draft for them as adapters alone", async () => {
    const { ask } = await testEndpoint([{ text: "x" }], { adapters: [savedAdapter()] });
    for (const [model, policy, text] of [
      ["stub:mine", "ar", "Ask the model stub."],
      ["stub", "speculative", "no adapter to draft with"],
    ]) {
      const response = await ask("/v1/chat/completions", { ...hello, model, policy });
      expect(response.status).toBe(400);
      expect((await response.json()).error).toMatchObject({
        param: "policy",
        message: expect.stringContaining(text ?? ""),
      });
    }
  });

  it("are read anew when they were saved anew, and the older one is dropped", async () => {
    const adapters = [savedAdapter()];
    const { ask, transport } = await testEndpoint([{ text: "x" }], { adapters });
    const ask1 = () => ask("/v1/chat/completions", { ...hello, model: "stub:mine" });
    await (await ask1()).json();
    adapters.splice(0, 1, { ...(adapters[0] ?? savedAdapter()), saved: new Date(2000) });
    await (await ask1()).json();
    expect(transport.calls.filter(({ path }) => path === AdaptersService.uploadAdapter.path)).toHaveLength(2);
    await expect.poll(() => transport.requestsOf(AdaptersService.dropAdapter)).toHaveLength(1);
  });

  it("have no alias on a base that is not served, while its adapter may come later", async () => {
    const { runtime } = await testEndpoint([]);
    const serve = (model: string) => serveOpenAI(runtime, { bases: ["stub"], aliases: { chat: model } });
    for (const model of ["stup", "other:mine"]) {
      await expect(serve(model)).rejects.toMatchObject({
        code: "not-found",
        option: "aliases.chat",
        value: model,
        remedy: expect.stringContaining("There are"),
      });
    }
    for (const model of ["stub", "stub:mine"]) await (await serve(model)).close();
  });

  it("are found in the worker by their id", async () => {
    const { ask, asked } = await testEndpoint([{ text: "x" }]);
    expect((await ask("/v1/chat/completions", { ...hello, model: "stub:adapter-1" })).status).toBe(200);
    expect(asked()).toMatchObject({ adapterId: "adapter-1" });
  });

  it("that are gone from the worker are loaded anew with the next request", async () => {
    const { ask, transport } = await testEndpoint([{ text: "x" }], { adapters: [savedAdapter()] });
    const again = () => ask("/v1/chat/completions", { ...hello, model: "stub:mine" });
    await (await again()).json();
    transport.onCall(AdaptersService.getAdapter, () => {
      throw new LadError("not-found", "There is no adapter adapter-2.");
    });
    expect((await again()).status).toBe(404);
    transport.onCall(AdaptersService.getAdapter, () => ({ adapter: adapterMessage }));
    expect((await again()).status).toBe(200);
    expect(transport.calls.filter(({ path }) => path === AdaptersService.uploadAdapter.path)).toHaveLength(2);
  });

  it("that do not exist are refused with the nearest name", async () => {
    const { ask } = await testEndpoint([], { aliases: { gpt: "stub" } });
    const response = await ask("/v1/chat/completions", { ...hello, model: "gtp" });
    expect(response.status).toBe(404);
    expect((await response.json()).error).toMatchObject({
      code: "model_not_found",
      param: "model",
      message: "There is no model gtp. Did you mean gpt? There are gpt, stub.",
    });
  });
});
