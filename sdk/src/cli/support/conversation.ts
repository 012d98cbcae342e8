/** A chat: what was said, and how the next answer is made. */

import { guessOf } from "../../checks/nearest.js";
import {
  type CanvasStart,
  type ChatMessage,
  LadError,
  type Row,
  type Runtime,
  tinyData,
} from "../../index.js";
import { type Cli, note } from "../cli.js";
import { type Asked, askedModel, dropQuietly, isShipped } from "./model.js";
import { answered, answerPieces, type SamplingFlags, samplingOptions } from "./sampling.js";
import { integer, kind, seed } from "./values.js";

/** How a chat begins. */
export interface ChatFlags extends SamplingFlags {
  readonly system?: string;
  readonly history?: boolean;
}

/** What a line that begins with a slash does. */
interface SlashCommand {
  readonly name: string;
  readonly usage: string;
  readonly about: string;
}

/** In the order of the help. */
export const SLASH_COMMANDS: readonly SlashCommand[] = [
  {
    name: "/policy",
    usage: "/policy <policy>",
    about: "how answers are sampled, such as threshold:iterations=16",
  },
  { name: "/iterations", usage: "/iterations <n>", about: "the most iterations" },
  { name: "/adapter", usage: "/adapter <name>", about: "who answers; none: the base" },
  {
    name: "/edit",
    usage: "/edit <pieces>",
    about: "make the last answer of what stays, [6] to fill and {drafts}",
  },
  { name: "/example", usage: "/example", about: "ask a question that the small bases know" },
  { name: "/again", usage: "/again", about: "another answer to the last question, with the next seed" },
  { name: "/seed", usage: "/seed <n>", about: "of the draws" },
  { name: "/system", usage: "/system <text>", about: "a system message; empty: none" },
  {
    name: "/history",
    usage: "/history on|off",
    about: "whether questions are asked with what was said before",
  },
  { name: "/reset", usage: "/reset", about: "forget what was said" },
  { name: "/help", usage: "/help", about: "these" },
  { name: "/quit", usage: "/quit", about: "leave" },
];

/** Messages, the model that answers them, and the settings of its sampling. */
export class Conversation {
  readonly #cli: Cli;
  readonly #runtime: Runtime;
  #asked: Asked;
  #flags: ChatFlags;
  #hasHistory: boolean;
  #messages: ChatMessage[] = [];
  #examples: readonly Row[] | undefined;
  #shown = 0;
  #stop = new AbortController();
  #isAnswering = false;

  constructor(cli: Cli, runtime: Runtime, asked: Asked, flags: ChatFlags) {
    this.#cli = cli;
    this.#runtime = runtime;
    this.#asked = asked;
    this.#flags = flags;
    this.#hasHistory = flags.history ?? !isShipped(asked.base.name);
  }

  /** Whether an answer is being made. */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /** Gives up the answer that is being made. */
  stop(): void {
    this.#stop.abort();
  }

  /**
   * Answers a question, or does what a line with a slash says.
   *
   * @returns the answer's text; undefined where there is none
   * @throws LadError for what cannot be done; the conversation is then as before
   */
  async say(line: string): Promise<string | undefined> {
    const text = line.trim();
    if (text === "") return undefined;
    if (!text.startsWith("/")) return this.#answer([...this.#past, { role: "user", content: text }]);
    const [, name = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
    return this.#do(name, rest);
  }

  async #do(name: string, rest: string): Promise<string | undefined> {
    switch (name) {
      case "/policy":
        return this.#set({ policy: kind(rest) });
      case "/iterations":
        return this.#set({ iterations: integer(rest) });
      case "/seed":
        return this.#set({ seed: seed(rest) });
      case "/system": {
        const { system: _, ...others } = this.#flags;
        this.#flags = rest === "" ? others : { ...others, system: rest };
        return undefined;
      }
      case "/history":
        this.#hasHistory = onOrOff(rest);
        return undefined;
      case "/reset":
        this.#messages = [];
        return undefined;
      case "/adapter":
        return this.#ask(rest);
      case "/edit":
        return this.#answer(this.#question(), { answer: answerPieces(rest) });
      case "/example":
        return this.#answer([...this.#past, { role: "user", content: await this.#example() }]);
      case "/again":
        this.#flags = { ...this.#flags, seed: (this.#flags.seed ?? 0n) + 1n };
        return this.#answer(this.#question());
      case "/help":
        for (const { usage, about } of SLASH_COMMANDS) note(this.#cli, `  ${usage.padEnd(20)} ${about}`);
        return undefined;
      default:
        throw unknown(name);
    }
  }

  /** Takes settings for the answers to come, if the model can answer by them. */
  #set(flags: Partial<ChatFlags>): undefined {
    const next = { ...this.#flags, ...flags };
    this.#asked.model.sample({ ...samplingOptions(next, this.#asked), messages: "?" }); // checked; what nobody reads never starts
    this.#flags = next;
    return undefined;
  }

  async #ask(adapter: string): Promise<undefined> {
    const { base, adapter: before } = this.#asked;
    this.#asked = await askedModel(this.#cli, this.#runtime, { adapter: adapter || "none", base: base.name });
    await dropQuietly(before);
    note(this.#cli, `${this.#asked.name} answers.`);
  }

  /** Drops the adapter that answers. */
  close(): Promise<void> {
    return dropQuietly(this.#asked.adapter);
  }

  /** One of the held-out questions of the small bases, another each time. */
  async #example(): Promise<string> {
    const { base } = this.#asked;
    if (!isShipped(base.name)) {
      throw new LadError(
        "invalid-state",
        `There are no examples for ${base.name}: the small bases have some.`,
      );
    }
    this.#examples ??= await base.rows(tinyData.heldout());
    const { instruction, input } = this.#examples[this.#shown++ % this.#examples.length] ?? {};
    const question = [instruction, input].filter(Boolean).join("\n");
    note(this.#cli, question);
    return question;
  }

  /** What stands before the next question. */
  get #past(): ChatMessage[] {
    return this.#hasHistory ? this.#messages : [];
  }

  /** The messages up to the last question. */
  #question(): ChatMessage[] {
    const last = this.#messages.findLastIndex(({ role }) => role === "user");
    if (last < 0) throw new LadError("invalid-state", "Nothing has been asked yet.");
    return this.#messages.slice(this.#hasHistory ? 0 : last, last + 1);
  }

  async #answer(messages: ChatMessage[], start: CanvasStart = {}): Promise<string> {
    const { system, seed } = this.#flags;
    const asked =
      system === undefined ? messages : [{ role: "system" as const, content: system }, ...messages];
    this.#stop = new AbortController();
    this.#isAnswering = true;
    try {
      const options = { ...samplingOptions(this.#flags, this.#asked), ...start, messages: asked, seed };
      const { text } = await answered(this.#cli, this.#asked, options, this.#stop.signal);
      this.#messages = [...messages, { role: "assistant", content: text }];
      return text;
    } finally {
      this.#isAnswering = false;
    }
  }
}

function onOrOff(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new LadError("invalid-option", `/history is ${text || "empty"}: it must be on or off.`);
}

function unknown(name: string): LadError {
  const names = SLASH_COMMANDS.map((command) => command.name);
  const remedy = `${guessOf(name, names)}/help tells what there is.`;
  return new LadError("invalid-option", `There is no ${name}.`, { remedy });
}
