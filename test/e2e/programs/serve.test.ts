/** `lad serve` as a process of its own, which other processes of the user find. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { Runtime, servedWorker } from "lad";
import { afterAll, expect, it, vi } from "vitest";
import { lad } from "../../sdk/cli/support.js";
import { scratchFolder } from "../support/stub.js";

const root = join(import.meta.dirname, "../../..");
const home = join(scratchFolder(), "home");
vi.stubEnv("LAD_HOME", home);
afterAll(() => vi.unstubAllEnvs());

it("keeps a worker for others until Ctrl-C, and takes its note away", async () => {
  const serving = execa(
    process.execPath,
    ["--import", "tsx", "sdk/src/cli/main.ts", "serve", "--threads", "1"],
    {
      cwd: root,
      env: { LAD_HOME: home },
      reject: false,
    },
  );
  await vi.waitFor(() => expect(existsSync(join(home, "worker.json"))).toBe(true), { timeout: 60_000 });
  const { pid, connection } = (await servedWorker()) ?? expect.unreachable();
  expect(pid).toBe(serving.pid);
  {
    await using runtime = await Runtime.start(connection);
    await runtime.loadBase("stub");
  }
  expect((await lad(["runs", "list"])).err).toBe("There are no runs.\n");
  expect((await lad(["serve"])).err).toContain(`Process ${pid} serves a worker already`);
  const { out } = await lad(["doctor"]);
  const token = join(home, "worker.json");
  const where = `process ${pid} serves one at ${connection.address}, its token in ${token}: stub, 0 adapters`;
  expect(out).toContain(where);
  serving.kill("SIGINT");
  const { exitCode, stderr } = await serving;
  expect(exitCode).toBe(130);
  expect(stderr).toContain("Stopping.");
  expect(existsSync(join(home, "worker.json"))).toBe(false);
});
