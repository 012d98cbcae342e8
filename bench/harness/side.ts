/** One process that is measured: it gets a JSON object a line and answers each with one. Between requests it sleeps. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { LadError, type LadErrorCode } from "../../sdk/src/errors.js";

/** Who is measured: `ours` and whatever is compared with it. */
export type Role = "ours" | "reference" | "roofline" | "alone" | "inTurn";

/** What a run came to. Which of the fields there are depends on the side. */
export interface Measurement {
  readonly seconds: number;
  /** What its processors were busy meanwhile, summed over them. */
  readonly processorSeconds?: number;
  /** Tokens that were computed. */
  readonly tokens?: number;
  /** The last loss of each adapter, or −log p of each item, in nats. */
  readonly losses?: readonly number[];
  /** Items that the reference computes at a time. */
  readonly batchSize?: number;
  readonly gradientNorm?: number;
  /** Token ids of each answer, EOS and what follows it included. */
  readonly answers?: readonly (readonly number[])[] | undefined;
  /** Text of each answer. */
  readonly texts?: readonly string[];
  /** Of all answers together. */
  readonly forwards?: number;
  /** Of each request, in seconds. */
  readonly latencies?: readonly number[];
  /** Of a training step beside them. */
  readonly stepSeconds?: number;
  /** Floating-point operations, of the matmuls alone. */
  readonly flop?: number;
  /** From the worker's readiness to the base's. */
  readonly loadSeconds?: number;
  /** The most memory that the process has held since it was loaded. */
  readonly peakBytes?: number;
  /** Calls that were answered, and runs that were started. */
  readonly calls?: number;
  readonly runs?: number;
  /** What the worker holds now. */
  readonly residentBytes?: number;
}

/** How a side's process is started. */
export interface Command {
  readonly program: string;
  readonly words: readonly string[];
  readonly folder: string;
  /** Added to this process's own variables. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How long a side that is told to end may take. */
const GRACE_MS = 5_000;
const LOG_LINES = 30;

export class Side {
  readonly name: string;
  /** What the process held when it had loaded, before its first run. */
  loadedBytes: number | undefined;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #replies: AsyncIterator<string>;
  readonly #exit: Promise<unknown>;
  readonly #log: string[] = [];

  constructor(name: string, { program, words, folder, environment }: Command) {
    this.name = name;
    this.#child = spawn(program, words, {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stdin.on("error", () => {}); // the process may be gone; the missing reply tells
    this.#exit = once(this.#child, "close").catch((error: unknown) => this.#note(String(error)));
    this.#replies = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    createInterface({ input: this.#child.stderr }).on("line", (line) => this.#note(line));
  }

  /** Loads what is not timed; what the side tells of it. */
  async load<Facts extends object>(parameters: object): Promise<Facts> {
    const facts = await this.#ask<Facts & { residentBytes?: number }>({ do: "load", ...parameters });
    this.loadedBytes = facts.residentBytes;
    return facts;
  }

  /** Gives the inputs that every run computes with. */
  prepare(inputs: object): Promise<object> {
    return this.#ask({ do: "prepare", ...inputs });
  }

  /** One timed unit. */
  run(request: object = {}): Promise<Measurement> {
    return this.#ask({ do: "run", ...request });
  }

  /** One unit more, with a Chrome trace of it written to `file`. */
  profile(file: string, request: object = {}): Promise<object> {
    return this.#ask({ do: "profile", file, ...request });
  }

  /** Ends the process. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), GRACE_MS);
    await this.#exit;
    clearTimeout(timer);
  }

  async #ask<Reply>(request: object): Promise<Reply> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#replies.next();
    if (done) {
      await this.#exit;
      throw new Error(`The process of ${this.name} ended.\n${this.#log.join("\n")}`);
    }
    const reply = JSON.parse(value) as
      | { ok: Reply }
      | { refused: { code: LadErrorCode; message: string } }
      | { error: string };
    if ("ok" in reply) return reply.ok;
    if ("refused" in reply) throw new LadError(reply.refused.code, reply.refused.message);
    throw new Error(`${this.name}: ${reply.error}\n${this.#log.join("\n")}`);
  }

  #note(line: string): void {
    this.#log.push(line);
    if (this.#log.length > LOG_LINES) this.#log.shift();
  }
}
