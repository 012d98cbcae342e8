/** What commands print on a terminal of sixty columns; a pipe has the same in lines of any length. */
import { describe, expect, it } from "vitest";
import { note, noteError, printTable, printText } from "../../../sdk/src/cli/cli.js";
import { runLad } from "../../../sdk/src/cli/program.js";
import { LadError } from "../../../sdk/src/errors.js";
import { captured, lad } from "./support.js";

const COLUMNS = 60;

function onTerminal() {
  const { cli, written } = captured();
  const terminal = { isTTY: true, columns: COLUMNS };
  return {
    cli: { ...cli, stdout: { ...cli.stdout, ...terminal }, stderr: { ...cli.stderr, ...terminal } },
    written,
  };
}

async function linesOf(words: readonly string[]) {
  const { cli, written } = onTerminal();
  const status = await runLad(words, cli);
  return { status, out: written.out.split("\n"), err: written.err.split("\n") };
}

function tooLong(lines: readonly string[]): string[] {
  return lines.filter((line) => line.length > COLUMNS);
}

/** The words alone, however they are cut into lines. */
function words(text: string): string[] {
  return text.split(/[\s─]+/).filter((word) => word !== "");
}

const SENTENCES =
  "tiny-r64 answers, on tiny: the adapter that was saved last. --adapter takes another, --adapter none the base alone.";

describe("sentences", () => {
  it("are cut at spaces on a terminal, and left alone in a pipe", () => {
    const { cli, written } = onTerminal();
    note(cli, SENTENCES);
    printText(cli, SENTENCES);
    for (const text of [written.err, written.out]) {
      expect(tooLong(text.split("\n"))).toEqual([]);
      expect(words(text)).toEqual(words(SENTENCES));
    }
    const pipe = captured();
    note(pipe.cli, SENTENCES);
    printText(pipe.cli, SENTENCES);
    expect([pipe.written.err, pipe.written.out]).toEqual([`${SENTENCES}\n`, `${SENTENCES}\n`]);
  });

  it("leave a command to be copied in one piece, and JSON in one line", () => {
    const { cli, written } = onTerminal();
    note(cli, "Paused after 313 of 400 steps. `lad runs resume run-0123456789ab` goes on.");
    expect(written.err.split("\n")).toContain("`npm run lad -- runs resume run-0123456789ab` goes on.");
    noteError(cli, new LadError("not-found", SENTENCES));
    expect(JSON.parse(written.err.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
      error: { code: "not-found" },
    });
  });

  it("leave exports to a shell", () => {
    const { cli, written } = onTerminal();
    note(
      cli,
      "Clients reach it with:\n  export OPENAI_BASE_URL=http://127.0.0.1:8421/v1 OPENAI_API_KEY=0123456789abcdef",
    );
    expect(written.err.split("\n").slice(1, 3)).toEqual([
      "  export OPENAI_BASE_URL=http://127.0.0.1:8421/v1 \\",
      "      OPENAI_API_KEY=0123456789abcdef",
    ]);
  });
});

describe("tables", () => {
  it("have all their cells, in lines that fit", async () => {
    const { out } = await linesOf(["bases"]);
    expect(tooLong(out)).toEqual([]);
    const piped = (await lad(["bases"])).out;
    expect(Math.max(...piped.split("\n").map((line) => line.length))).toBeGreaterThan(COLUMNS);
    expect(words(out.join("\n"))).toEqual(words(piped));
  });

  it("say what is typed here for lad", async () => {
    expect((await lad(["bases"])).out).toContain("`npm run lad -- setup --with smollm2`");
  });

  it("go on in as many lines as they need", () => {
    const { cli, written } = onTerminal();
    const headers = Array.from({ length: 9 }, (_, at) => `exact match ${at + 1}`);
    printTable(
      cli,
      headers.map((header) => ({ header, cell: (row: string) => row })),
      ["43.8 %"],
    );
    const lines = written.out.trimEnd().split("\n");
    expect(tooLong(lines)).toEqual([]);
    expect(lines).toHaveLength(3 + 1 + 3);
  });
});

describe("mistakes", () => {
  it("are told in lines that fit", async () => {
    const { status, err } = await linesOf(["train", "--device", "gpu"]);
    expect({ status, long: tooLong(err) }).toEqual({ status: 2, long: [] });
    const unknown = await linesOf(["sample", "x", "--adapter", "none", "--policy", "remsk"]);
    expect({ status: unknown.status, long: tooLong(unknown.err) }).toEqual({ status: 2, long: [] });
    expect(unknown.err.join(" ")).toContain("Did you mean remask?");
    expect(unknown.err.join(" ")).not.toContain("remask()");
  });
});
