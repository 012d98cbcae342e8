/** Adapters on their way to a hub, which a Python process plays on loopback; the worker writes to it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { announceWorker, type Runtime } from "lad";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { pythonOfCheckout, root } from "../../../sdk/tools/checkout.js";
import { lad } from "../../sdk/cli/support.js";
import { EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const home = join(scratch, "home");

/** Prints its address and the token that it takes; for each line of input, the digest of every file that it has. */
const HUB = `
import hashlib, json, sys
from fake_hub_writes import TOKEN, WritableHub
hub = WritableHub()
print(json.dumps([hub.endpoint, TOKEN]), flush=True)
for _ in sys.stdin:
    files = {repo: {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} for repo, files in hub.files.items()}
    print(json.dumps(files), flush=True)
hub.close()
`;

function playedHub() {
  const { python, env } = pythonOfCheckout();
  const path = ["runtime", "test/runtime/support"].map((folder) => join(root, folder)).join(":");
  return execa(python, ["-c", HUB], { env: { ...env, PYTHONPATH: path }, stdin: "pipe", reject: false });
}

let hub: ReturnType<typeof playedHub>;
let answers: AsyncIterator<string>;
let token: string;
let runtime: Runtime;

beforeAll(async () => {
  hub = playedHub();
  answers = createInterface({ input: hub.stdout })[Symbol.asyncIterator]();
  const [endpoint, right] = JSON.parse((await answers.next()).value as string) as [string, string];
  token = right;
  vi.stubEnv("LAD_HOME", home);
  vi.stubEnv("HF_ENDPOINT", endpoint);
  runtime = await startRuntime(join(scratch, "state"));
  await announceWorker(runtime.connection);
});
afterAll(async () => {
  await runtime?.close();
  hub?.stdin.end();
  await hub;
  vi.unstubAllEnvs();
});

async function files(): Promise<Record<string, Record<string, string>>> {
  hub.stdin.write("\n");
  return JSON.parse((await answers.next()).value as string);
}

it("writes an adapter's files with its card, from a program and from a shell", async () => {
  const base = await runtime.loadBase("stub");
  await using adapter = await base.createAdapter({ rank: 2, seed: 1 });
  await adapter.train({ data: EXAMPLES, windowTokens: 48, warmupSteps: 0, steps: 1 }).result();
  await adapter.save(join(home, "adapters", "mine"));
  const pushed = await adapter.push("me/from-program", { hubToken: token });
  expect(pushed).toEqual({
    url: expect.stringMatching(/\/me\/from-program$/),
    commit: expect.stringMatching(/^[0-9a-f]{40}$/),
  });
  vi.stubEnv("HF_TOKEN", token);
  const { status, out, err } = await lad(["adapters", "push", "mine", "me/from-shell", "--public"]);
  expect({ status, out }).toEqual({
    status: 0,
    out: expect.stringMatching(/\/me\/from-shell\n$/),
  });
  expect(out + err).not.toContain(token);
  const there = await files();
  expect(Object.keys(there)).toEqual(["me/from-program", "me/from-shell"]);
  expect(there["me/from-shell"]).toEqual(there["me/from-program"]);
  expect(Object.keys(there["me/from-shell"] ?? {}).sort()).toEqual(
    readdirSync(join(home, "adapters", "mine")).sort(),
  );
});

it("tells what is wrong, and never the token", async () => {
  const wrong = "hf_a_token_of_another";
  vi.stubEnv("HF_TOKEN", wrong);
  const { status, err } = await lad(["adapters", "push", "mine", "me/refused"]);
  expect({ status, err }).toEqual({
    status: 1,
    err: expect.stringContaining("does not let this token write"),
  });
  expect(err).not.toContain(wrong);
  expect(await lad(["adapters", "push", "mine", "refused"])).toMatchObject({
    status: 2,
    err: expect.stringContaining("Give owner/name."),
  });
  expect(runtime.log.join("\n")).not.toMatch(new RegExp(`${token}|${wrong}`));
  for (const name of readdirSync(join(scratch, "state"), { recursive: true }) as string[]) {
    const text = readOrNothing(join(scratch, "state", name));
    expect(text).not.toContain(token);
  }
});

it("leaves a hub that does not answer when it is cancelled, and after the time that it was given", async () => {
  const base = await runtime.loadBase("stub");
  await using adapter = await base.createAdapter({ rank: 2, seed: 1 });
  const leaving = new AbortController();
  const pushing = adapter.push("owner/silent", { hubToken: token, signal: leaving.signal });
  setTimeout(() => leaving.abort(), 1500);
  await expect(pushing).rejects.toMatchObject({ code: "cancelled" });
  await expect(adapter.push("owner/silent", { hubToken: token, idleTimeoutMs: 300 })).rejects.toMatchObject({
    code: "unavailable",
    option: "idleTimeoutMs",
    value: "300",
  });
  vi.stubEnv("HF_TOKEN", token);
  const shell = ["adapters", "push", "mine", "owner/silent", "--idle-timeout", "0.3"];
  const { status, err } = await lad(shell);
  expect({ status, err }).toEqual({
    status: 1,
    err: expect.stringContaining("longer than --idle-timeout (300 ms)"),
  });
  expect(err).toContain("give a longer --idle-timeout");
});

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
