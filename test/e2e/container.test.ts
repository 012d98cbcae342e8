import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { Runtime } from "lad";
import { afterAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const scratch = mkdtempSync(join(tmpdir(), "lad-container-"));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function docker(...words: string[]): Promise<string> {
  return (await execa("docker", words)).stdout;
}

/** Ids of the running containers of a compose project. */
async function running(project: string): Promise<string[]> {
  const filter = `label=com.docker.compose.project=${project}`;
  return (await docker("ps", "--quiet", "--filter", filter)).split("\n").filter(Boolean);
}

/** Trains two steps and samples; the answer's length says that both happened. */
async function use(runtime: Runtime): Promise<number> {
  const base = await runtime.loadBase("stub");
  await using adapter = await base.createAdapter({ rank: 2 });
  const data = [{ instruction: "Say a.", output: "a" }];
  await adapter.train({ data, windowTokens: 48, steps: 2, warmupSteps: 0 }).result();
  const answer = await adapter.sample({ messages: "Say a.", answerTokens: 4 }).result();
  return answer.canvasIds.length;
}

describe("a worker in a container", () => {
  it("is built, started, used and ended by the SDK, with nothing it does not need", async () => {
    const project = "lad-test-sdk";
    const runtime = await Runtime.start({ container: "cpu", rebuild: true, project });
    try {
      expect(await use(runtime)).toBe(4);
      const [id = ""] = await running(project);
      const [inspected] = JSON.parse(await docker("inspect", id));
      expect(inspected.Config.User).toBe("10001:10001");
      expect(inspected.HostConfig.ReadonlyRootfs).toBe(true);
      expect(inspected.HostConfig.Privileged).toBe(false);
      expect(inspected.HostConfig.SecurityOpt.join()).toContain("no-new-privileges");
      const status = await docker("exec", id, "cat", "/proc/1/status");
      expect(status).toMatch(/^CapEff:\s+0{16}$/m);
      expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
      const health = ["python", "-m", "lad_runtime.health", "--address", runtime.address];
      await docker("exec", id, ...health);
    } finally {
      await runtime.close();
    }
    expect(await running(project)).toEqual([]);
  });

  it("of the same project goes on with a training that the last one's end has interrupted", async () => {
    const worker = { container: "cpu", project: "lad-test-resumed" } as const;
    try {
      const first = await Runtime.start(worker);
      const base = await first.loadBase("stub");
      const adapter = await base.createAdapter({ rank: 2 });
      const data = [{ instruction: "Say a.", output: "a" }];
      const checkpoint = { name: "kept" };
      const run = adapter.train({
        data,
        windowTokens: 48,
        steps: 400,
        warmupSteps: 0,
        checkpoint,
        detached: true,
      });
      for await (const event of run) if (event.type === "step") break;
      await first.close();
      await using second = await Runtime.start({ ...worker, resumeRuns: true });
      const events: string[] = [];
      for await (const { event } of second.run(run.runId ?? "").events()) events.push(event.type);
      expect(events).toContain("resumed");
      expect(events.at(-1)).toBe("finished");
    } finally {
      await compose(worker.project, {}, "down", "--volumes");
    }
  });

  it("carries the sweep", async () => {
    const words = [
      "--base",
      "stub",
      "--ranks",
      "2,4",
      "--questions",
      "4",
      "--device",
      "container-cpu",
      "--json",
    ];
    const command = ["--import", "tsx", "examples/sweep-lora-ranks.ts", ...words];
    const { stdout } = await execa(process.execPath, command, { cwd: root });
    const ranks = stdout.split("\n").map((line) => (JSON.parse(line) as { rank: number }).rank);
    expect(ranks).toEqual([2, 4]);
  });

  it("ends within 15 s when the process that started it is killed", async () => {
    const project = "lad-test-killed";
    const script = join(scratch, "start.mts");
    const source = `import { Runtime } from "${root}/sdk/src/index.ts";
      await Runtime.start({ container: "cpu", project: "${project}" });
      console.log("started");
      setInterval(() => {}, 1000);`;
    writeFileSync(script, source);
    const child = spawn(process.execPath, ["--import", "tsx", script], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => resolve());
      child.once("exit", (code) => reject(new Error(`it ended with exit code ${code}`)));
    });
    expect(await running(project)).toHaveLength(1);
    child.removeAllListeners("exit");
    child.kill("SIGKILL");
    const killed = performance.now();
    while ((await running(project)).length > 0) {
      expect(performance.now() - killed).toBeLessThan(15_000);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    await compose(project, {}, "down", "--volumes");
  });

  it("is reached by address and token when compose started it", async () => {
    const project = "lad-test-compose";
    const token = "0123456789abcdef0123456789abcdef";
    const tokenFile = join(scratch, "token");
    writeFileSync(tokenFile, token, { mode: 0o644 });
    const variables = { LAD_TOKEN_FILE: tokenFile, LAD_PORT: "50951" };
    await compose(project, variables, "up", "--detach");
    try {
      const runtime = await Runtime.start({ address: "127.0.0.1:50951", token, startTimeoutMs: 120_000 });
      expect(await use(runtime)).toBe(4);
      await runtime.close();
      const wrong = Runtime.start({ address: "127.0.0.1:50951", token: "wrong".repeat(8) });
      await expect(wrong).rejects.toMatchObject({ code: "unauthenticated" });
    } finally {
      await compose(project, variables, "down", "--volumes");
    }
  });
});

/** `docker compose` where it is there, else `docker-compose`. */
async function compose(
  project: string,
  variables: Record<string, string>,
  ...words: string[]
): Promise<void> {
  const { failed } = await execa("docker", ["compose", "version"], { reject: false });
  const [command, ...first] = failed ? ["docker-compose"] : ["docker", "compose"];
  const all = [...first, "--project-name", project, "--profile", "cpu", ...words];
  await execa(command ?? "", all, { cwd: root, env: { LAD_IMAGE: "lad-worker:0.1.0", ...variables } });
}
