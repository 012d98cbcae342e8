/** A side that answers as its arguments say, and notes when it was asked. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, Side } from "../../../bench/harness/side.js";

/** What a fake side's runs come to, and the file that it notes its runs in. */
export interface Script {
  readonly name: string;
  readonly seconds: readonly number[];
  readonly notes: string;
}

const PROGRAM = `
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
const { name, seconds, notes } = JSON.parse(process.argv[1]);
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.crash) { console.error("no room left"); process.exit(3); }
  if (request.do === "run") appendFileSync(notes, name + request.turn + " ");
  const replies = { load: { residentBytes: 7 }, prepare: {}, run: { seconds: seconds[request.turn], peakBytes: 9 } };
  const reply = request.fail ? { error: "it cannot" } : { ok: replies[request.do] };
  console.log(JSON.stringify(reply));
}
`;

export function fakeSide(script: Script): Side {
  appendFileSync(script.notes, "");
  const command: Command = {
    program: process.execPath,
    words: ["--input-type=module", "-e", PROGRAM, JSON.stringify(script)],
    folder: join(import.meta.dirname),
    environment: {},
  };
  return new Side(script.name, command);
}
