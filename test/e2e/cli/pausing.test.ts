/** Ctrl-C of a training whose worker ends with the command, and what another command then finds. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { runLad } from "../../../sdk/src/cli/program.js";
import { captured, lad, lines } from "../../sdk/cli/support.js";
import { EXAMPLES, scratchFolder } from "../support/stub.js";

const scratch = scratchFolder();
const data = join(scratch, "train.jsonl");
const STEPS = 200_000;

beforeAll(() => {
  vi.stubEnv("LAD_HOME", join(scratch, "home"));
  writeFileSync(data, EXAMPLES.map((example) => JSON.stringify(example)).join("\n"));
});
afterAll(() => {
  vi.unstubAllEnvs();
});

it("tells a command beside it what to do; says after how many steps it was left, and its checkpoint is of that step", {
  timeout: 120_000,
}, async () => {
  const { cli, written, leaving } = captured();
  const words = ["train", data, "--base", "stub", "--rank", "1", "--steps", String(STEPS), "--threads", "1"];
  const ended = runLad([...words, "--window-tokens", "48", "--name", "left", "--json"], cli);
  await vi.waitFor(() => expect(written.out.split('"type":"step"').length).toBeGreaterThan(20), {
    timeout: 60_000,
  });
  const beside = await lad(["runs", "list", "--threads", "1"]);
  expect({ status: beside.status, err: beside.err }).toEqual({
    status: 3,
    err: expect.stringContaining("Next time type `npm run lad -- serve` first, in a terminal of its own"),
  });
  leaving.ask();
  expect(await ended).toBe(130);
  const [, told] = new RegExp(`Paused after (\\d+) of ${STEPS} steps\\.`).exec(written.err) ?? [];
  const [run] = lines((await lad(["runs", "list", "--threads", "1", "--json"])).out);
  const [checkpoint] = lines((await lad(["checkpoints", "list", "--threads", "1", "--json"])).out);
  expect(run).toMatchObject({ state: "interrupted", steps: Number(told), totalSteps: STEPS });
  expect(checkpoint).toMatchObject({ name: "left", steps: Number(told) });
});
