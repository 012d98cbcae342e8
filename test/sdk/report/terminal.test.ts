import xterm from "@xterm/headless";
import { describe, expect, it } from "vitest";
import { LiveBlock } from "../../../sdk/src/report/terminal.js";

const COLUMNS = 20;
const ROWS = 5;

/** A block on an output whose clock stands still until `wait`; `written` is all that the output got. */
function block(isTTY: boolean) {
  let text = "";
  let time = 0;
  const output = { isTTY, columns: COLUMNS, rows: ROWS, write: (more: string) => (text += more) };
  const live = new LiveBlock({ output, intervalMs: 100, plainIntervalMs: 1000, now: () => time });
  return { live, wait: (ms: number) => (time += ms), written: () => text };
}

/** What of a text can be seen in a terminal, line by line, what has scrolled out of sight included. */
async function seen(text: string): Promise<string[]> {
  const terminal = new xterm.Terminal({
    cols: COLUMNS,
    rows: ROWS,
    convertEol: true,
    allowProposedApi: true,
  });
  await new Promise<void>((resolve) => terminal.write(text, resolve));
  const { active } = terminal.buffer;
  const lines = Array.from(
    { length: active.length },
    (_, i) => active.getLine(i)?.translateToString(true) ?? "",
  );
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

describe("a live block in a terminal", () => {
  it("is drawn over itself, and clears what a taller one left", async () => {
    const { live, wait, written } = block(true);
    live.update(["one", "two"]);
    expect(await seen(written())).toEqual(["one", "two"]);
    wait(100);
    live.update(["three"]);
    expect(await seen(written())).toEqual(["three"]);
  });

  it("is drawn over where a line took two rows, and where characters take two columns", async () => {
    const { live, wait, written } = block(true);
    live.update(["x".repeat(30)]);
    expect(await seen(written())).toEqual(["x".repeat(20), "x".repeat(10)]);
    wait(100);
    live.update(["犬".repeat(15)]);
    expect(await seen(written())).toEqual(["犬".repeat(10), "犬".repeat(5)]);
    wait(100);
    live.update(["done"]);
    expect(await seen(written())).toEqual(["done"]);
  });

  it("shows its last lines where the terminal is lower than it, and leaves no others behind", async () => {
    const { live, wait, written } = block(true);
    const tall = (round: number) => Array.from({ length: 9 }, (_, line) => `round ${round} line ${line}`);
    for (const round of [1, 2, 3]) {
      live.update(tall(round));
      wait(100);
    }
    expect(await seen(written())).toEqual(tall(3).slice(-4));
  });

  it("draws seldom, always the last, and stays where it is when it is finished", async () => {
    const { live, wait, written } = block(true);
    live.update(["1"]);
    live.update(["2"]);
    expect(await seen(written())).toEqual(["1"]);
    live.finish();
    live.update(["next"]);
    wait(100);
    live.update(["another"]);
    expect(await seen(written())).toEqual(["2", "another"]);
  });
});

describe("a live block elsewhere", () => {
  it("is plain lines, seldom, and always the last", () => {
    const { live, wait, written } = block(false);
    for (let step = 1; step <= 25; step += 1) {
      live.update([`step ${step}`]);
      wait(100);
    }
    live.finish();
    expect(written()).toBe("step 1\nstep 11\nstep 21\nstep 25\n");
  });
});
