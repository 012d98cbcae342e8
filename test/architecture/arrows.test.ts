import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isWithin, pythonSources, root, type Source, typescriptSources } from "./imports.js";

/** `file imports module` for every import in `sources` of something within `forbidden`. */
function violations(sources: Source[], forbidden: readonly string[]): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports
      .filter((name) => forbidden.some((container) => isWithin(name, container)))
      .map((name) => `${path} imports ${name}`),
  );
}

/** What only the thread that owns an adapter may ask of it or of its tensors. */
/** What they import beside modules of Node and what is allowed. */
function importsBeyond(sources: readonly Source[], allowed: readonly string[]): string[] {
  const isAllowed = (name: string) =>
    name.startsWith("node:") || allowed.some((container) => isWithin(name, container));
  return sources.flatMap(({ path, imports }) =>
    imports.filter((name) => !isAllowed(name)).map((name) => `${path} imports ${name}`),
  );
}

const TENSORS = /\.(grad|parameters|factors|gradients|optimizer_for|untyped_storage|data_ptr|numel)\b/;

/** `file:line` wherever `pattern` occurs in sources. */
function touching(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    readFileSync(join(root, path), "utf8")
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  );
}

const worker = pythonSources("runtime/lad_runtime").filter(({ path }) => !path.includes("/gen/"));
const inWorker = (folder: string) =>
  worker.filter(({ path }) => isWithin(path, `runtime/lad_runtime/${folder}`));
const sdk = typescriptSources("sdk/src").filter(({ path }) => !path.includes("/gen/"));

const RPC = ["grpc", "grpc_health", "grpc_reflection", "google", "lad_runtime.gen"];

describe("lm-eval's model", () => {
  it("is a client: of the worker's package it uses the generated code and the versions alone", () => {
    const own = pythonSources("runtime/lad_lm_eval");
    expect(own.length).toBeGreaterThan(5);
    const used = own.flatMap(({ imports }) => imports.filter((name) => isWithin(name, "lad_runtime")));
    expect(used.filter((name) => !/^lad_runtime\.(gen|version)\b/.test(name))).toEqual([]);
    expect(violations(own, ["torch", "transformers", "numpy"])).toEqual([]);
  });
});

describe("the worker", () => {
  it("has sources to look at", () => {
    for (const folder of ["engine", "server", "wire", "torch_backend"]) {
      expect(inWorker(folder).length, folder).toBeGreaterThan(0);
    }
  });

  it("keeps torch, protobuf and gRPC out of the engine", () => {
    const forbidden = [
      ...RPC,
      "torch",
      "lad_runtime.torch_backend",
      "lad_runtime.wire",
      "lad_runtime.server",
    ];
    expect(violations(inWorker("engine"), forbidden)).toEqual([]);
  });

  it("keeps RPCs and scheduling out of the backend", () => {
    const forbidden = [...RPC, "lad_runtime.engine", "lad_runtime.wire", "lad_runtime.server"];
    const protocol = "lad_runtime.engine.backend"; // the class that the backend implements
    const found = violations(inWorker("torch_backend"), forbidden);
    expect(found.filter((text) => !isWithin(text.split(" imports ")[1] ?? "", protocol))).toEqual([]);
  });

  it("imports the generated code only where messages are translated and calls are served", () => {
    const others = worker.filter(({ path }) => !/lad_runtime\/(wire|server)\//.test(path));
    expect(violations(others, ["lad_runtime.gen"])).toEqual([]);
  });

  it("translates without torch", () => {
    expect(
      violations(inWorker("wire"), ["torch", "lad_runtime.torch_backend", "lad_runtime.engine"]),
    ).toEqual([]);
  });

  it("lets what threads of RPCs reach read published numbers, never a tensor", () => {
    const reached =
      /lad_runtime\/(engine|server|wire)\/|torch_backend\/(memory|sampling|training)\/(held_memory|needs)\.py$/;
    const files = worker.filter(({ path }) => reached.test(path)).map(({ path }) => path);
    for (const name of ["memory/held_memory", "memory/needs", "sampling/needs", "training/needs"]) {
      expect(files).toContain(`runtime/lad_runtime/torch_backend/${name}.py`);
    }
    expect(touching(files, TENSORS)).toEqual([]);
    expect(touching(["runtime/lad_runtime/torch_backend/adapters/trained_adapter.py"], TENSORS)).not.toEqual(
      [],
    );
  });

  it("reaches an adapter's tensors through the one place that knows whose they are", () => {
    const files = inWorker("torch_backend").map(({ path }) => path);
    const owners = [
      "runtime/lad_runtime/torch_backend/model/lora.py",
      "runtime/lad_runtime/torch_backend/model/thread_owned.py",
    ];
    expect(
      touching(
        files.filter((path) => !owners.includes(path)),
        /\b(adapter|trained)\._\w+/,
      ),
    ).toEqual([]);
  });

  it("has values and errors that depend on nothing but the method", () => {
    const plain = ["types", "errors", "checks", "method"].map((name) => `lad_runtime.${name}`);
    const files = plain.map((name) => `runtime/${name.replace(".", "/")}.py`);
    const foreign = worker
      .filter(({ path }) => files.includes(path) || path.startsWith("runtime/lad_runtime/types/"))
      .flatMap(({ path, imports }) =>
        violations([{ path, imports }], [...RPC, "torch", "numpy", "lad_runtime"]).filter(
          (text) => !plain.some((name) => isWithin(text.split(" imports ")[1] ?? "", name)),
        ),
      );
    expect(foreign).toEqual([]);
  });
});

describe("the SDK", () => {
  it("has sources to look at, whose imports are seen", () => {
    const grpc = sdk.find(({ path }) => path === "sdk/src/grpc/transport.ts");
    expect(grpc?.imports).toContain("@grpc/grpc-js");
    expect(sdk.flatMap(({ imports }) => imports)).toContain("sdk/src/errors.js");
  });

  it("imports the generated code only where messages are translated and sent", () => {
    const others = sdk.filter(({ path }) => !/sdk\/src\/(wire[./]|grpc\/transport\.ts)/.test(path));
    expect(violations(others, ["sdk/src/gen/lad"])).toEqual([]);
  });

  it("speaks gRPC in one file", () => {
    const others = sdk.filter(({ path }) => path !== "sdk/src/grpc/transport.ts");
    expect(violations(others, ["@grpc/grpc-js"])).toEqual([]);
  });

  it("loads a protocol's description at run time for the standard health service alone", () => {
    const others = sdk.filter(({ path }) => path !== "sdk/src/wire/health.ts");
    expect(violations(others, ["@grpc/proto-loader"])).toEqual([]);
  });

  it("has reports that know nothing of the rest but errors, JSON and how folders are made, and libraries for terminals and drawings", () => {
    const reports = sdk.filter(({ path }) => isWithin(path, "sdk/src/report"));
    const libraries = ["log-update", "string-width", "yaml", "linkedom", "@observablehq/plot"];
    const own = ["report", "errors.js", "json.js", "make-folder.js"].map((name) => `sdk/src/${name}`);
    const allowed = [...own, ...libraries];
    expect(importsBeyond(reports, allowed)).toEqual([]);
  });

  it("loads what draws charts only when a report is written", () => {
    const early = /^(?:import|export).*"(?:linkedom|@observablehq\/plot)"/;
    const files = sdk.map(({ path }) => path);
    expect(touching(files, early)).toEqual([]);
    expect(touching(files, /\bimport\("(?:linkedom|@observablehq\/plot)"\)/)).toHaveLength(1);
  });

  it("has a command line that uses what the package exports, and behind it only the set-up and helpers for words and folders", () => {
    const cli = sdk.filter(({ path }) => isWithin(path, "sdk/src/cli"));
    expect(cli.length).toBeGreaterThan(20);
    const own = [
      "cli",
      "demo",
      "setup",
      "index.js",
      "report/index.js",
      "endpoint/index.js",
      "errors.js",
      "make-folder.js",
      "checks/nearest.js",
    ];
    const allowed = [...own.map((name) => `sdk/src/${name}`), "commander", "yaml", "execa", "string-width"];
    expect(importsBeyond(cli, allowed)).toEqual([]);
  });

  it("has a demo that uses what the package exports, and the room for local HTTP servers", () => {
    const demo = sdk.filter(({ path }) => isWithin(path, "sdk/src/demo"));
    expect(demo.length).toBeGreaterThan(5);
    const allowed = ["sdk/src/demo", "sdk/src/http", "sdk/src/index.js", "hono", "zod"];
    expect(importsBeyond(demo, allowed)).toEqual([]);
  });

  it("has an endpoint on what the package exports, on the room of HTTP servers, and on checks", () => {
    const endpoint = sdk.filter(({ path }) => isWithin(path, "sdk/src/endpoint"));
    expect(endpoint.length).toBeGreaterThan(20);
    const own = ["endpoint", "http", "checks", "index.js", "errors.js"].map((name) => `sdk/src/${name}`);
    expect(importsBeyond(endpoint, [...own, "hono", "zod"])).toEqual([]);
  });

  it("has a page that takes nothing but types from the SDK", () => {
    const page = typescriptSources("sdk/web/src");
    expect(page.length).toBeGreaterThan(15);
    const value = /^import (?!type )[^;"]*"(?:\.\.\/)+src\//m;
    const values = page.filter(({ path }) => value.test(readFileSync(join(root, path), "utf8")));
    expect(values).toEqual([]);
  });

  it("has one room for local HTTP servers, which knows nothing of the rest but errors", () => {
    const http = sdk.filter(({ path }) => isWithin(path, "sdk/src/http"));
    expect(http.length).toBeGreaterThan(3);
    const allowed = ["sdk/src/http", "sdk/src/errors.js", "hono", "@hono/node-server"];
    expect(importsBeyond(http, allowed)).toEqual([]);
    const others = sdk.filter(({ path }) => !isWithin(path, "sdk/src/http"));
    expect(violations(others, ["@hono/node-server"])).toEqual([]);
  });

  it("needs only errors, guesses of names, the making of folders and standard modules to set itself up", () => {
    const setup = sdk.filter(({ path }) => isWithin(path, "sdk/src/setup"));
    const allowed = [
      "sdk/src/setup",
      "sdk/src/errors.js",
      "sdk/src/checks/nearest.js",
      "sdk/src/make-folder.js",
      "execa",
    ];
    expect(importsBeyond(setup, allowed)).toEqual([]);
  });
});

describe("the examples", () => {
  it("use what the package exports and nothing behind it", () => {
    expect(violations(typescriptSources("examples"), ["sdk"])).toEqual([]);
  });
});
