/** `lad serve --openai` as a process of its own, with an adapter of the base `stub`. */
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { execa } from "execa";
import { type Adapter, Runtime } from "lad";
import { EXAMPLES } from "./examples.js";

const root = join(import.meta.dirname, "../../..");

/** An endpoint of another process. */
export interface ServedEndpoint {
  /** What OpenAI's clients take. */
  readonly url: string;
  /** What Anthropic's clients take. */
  readonly origin: string;
  readonly token: string;
  /** Its worker. */
  readonly runtime: Runtime;
  /** The adapter that it serves as `stub:mine`, loaded by this process for itself. */
  readonly adapter: Adapter;
  /** Asks it to stop, and gives its exit status. */
  stop(): Promise<number | undefined>;
}

/** @param home - a folder for its adapters and state */
export async function serveEndpoint(home: string, flags: readonly string[] = []): Promise<ServedEndpoint> {
  const words = ["serve", "--openai", "--port", "0", "--base", "stub", "--threads", "1", "--json", ...flags];
  const serving = execa(process.execPath, ["--import", "tsx", "sdk/src/cli/main.ts", ...words], {
    cwd: root,
    env: { LAD_HOME: home },
    reject: false,
    buffer: false,
  });
  const { address, token, endpoint } = await firstLine(serving);
  const runtime = await Runtime.start({ address, token, onWarning: () => {} });
  const base = await runtime.loadBase("stub");
  const adapter = await base.createAdapter({ rank: 4, seed: 1 });
  await adapter
    .train({ data: EXAMPLES, windowTokens: 48, steps: 8, learningRate: 1e-2, warmupSteps: 0 })
    .result();
  mkdirSync(join(home, "adapters"), { recursive: true });
  await adapter.save(join(home, "adapters", "mine"));
  return {
    url: endpoint.url,
    origin: new URL(endpoint.url).origin,
    token: endpoint.token,
    runtime,
    adapter,
    async stop() {
      await runtime.close();
      serving.kill("SIGINT");
      return (await serving).exitCode;
    },
  };
}

interface Announced {
  readonly address: string;
  readonly token: string;
  readonly endpoint: { readonly url: string; readonly token: string };
}

async function firstLine({ stdout }: { readonly stdout: Readable }): Promise<Announced> {
  const [text] = (await once(stdout, "data")) as [Buffer]; // a line is written at once
  stdout.resume();
  return JSON.parse(text.toString()) as Announced;
}
