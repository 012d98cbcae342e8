/** A chat: what was said, and how the next answer is made. */

import {
  type Answer,
  type CanvasStart,
  type ChatMessage,
  LadError,
  type Row,
  type Runtime,
  tinyData,
} from "../../index.js";
import { type Cli, note } from "../cli.js";
import { library, NO_ADAPTER } from "./library.js";
import { type Asked, chosenModel, dropQuietly, isShipped, loadModel } from "./model.js";
import {
  answered,
  answerPieces,
  checkSampling,
  policiesFor,
  type SamplingFlags,
  samplingOptions,
} from "./sampling.js";
import { SLASH_COMMANDS, unknownSlash } from "./slash-commands.js";
import { choice, integer, kind, seed } from "./values.js";

/** What a line with a slash sets, and tells where it gives no value. */
type Setting = "/policy" | "/iterations" | "/seed" | "/system" | "/history" | "/adapter";

/** How a chat begins. */
export interface ChatFlags extends SamplingFlags {
  readonly system?: string;
  readonly history?: boolean;
}

/** A question with its answer, and how that was sampled. */
export interface Turn {
  readonly question: string;
  readonly answer: Answer;
  /** The adapter's name, or the base's. */
  readonly model: string;
  readonly base: string;
  readonly policy: object;
  readonly seed: bigint;
}

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
   * @returns undefined where there is no answer
   * @throws LadError for what cannot be done; the conversation is then as before
   */
  async say(line: string): Promise<Turn | undefined> {
    const text = line.trim();
    if (text === "") return undefined;
    if (!text.startsWith("/")) return this.#answer([...this.#past, { role: "user", content: text }]);
    const [, name = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
    return this.#do(name, rest);
  }

  async #do(name: string, rest: string): Promise<Turn | undefined> {
    switch (name) {
      case "/policy":
      case "/iterations":
      case "/seed":
      case "/system":
      case "/history":
      case "/adapter":
        return rest === "" ? this.#tell(name) : this.#change(name, rest);
      case "/reset":
        this.#messages = [];
        return undefined;
      case "/edit":
        return rest === ""
          ? this.#tell(name)
          : this.#answer(this.#question(), { answer: answerPieces(rest) });
      case "/example":
        return this.#answer([...this.#past, { role: "user", content: await this.#example() }]);
      case "/again":
        this.#flags = { ...this.#flags, seed: (this.#flags.seed ?? 0n) + 1n };
        return this.#answer(this.#question());
      case "/help":
        for (const { usage, about } of SLASH_COMMANDS) note(this.#cli, `  ${usage.padEnd(20)} ${about}`);
        return undefined;
      default:
        throw unknownSlash(name);
    }
  }

  async #change(name: Setting, rest: string): Promise<undefined> {
    switch (name) {
      case "/policy":
        return this.#set({ policy: kind(rest) });
      case "/iterations":
        return this.#set({ iterations: integer(rest) });
      case "/seed":
        return this.#set({ seed: seed(rest) });
      case "/history":
        this.#hasHistory = choice(["on", "off"])(rest) === "on";
        return undefined;
      case "/system": {
        const { system: _, ...others } = this.#flags;
        this.#flags = rest === NO_ADAPTER ? others : { ...others, system: rest };
        return undefined;
      }
      case "/adapter":
        return this.#ask(rest);
    }
  }

  /** Says what a setting is, and what may be given. */
  async #tell(name: Setting | "/edit"): Promise<undefined> {
    note(this.#cli, `${name} ${await this.#valueOf(name)}`);
    return undefined;
  }

  async #valueOf(name: Setting | "/edit"): Promise<string> {
    const { system, seed = 0n } = this.#flags;
    switch (name) {
      case "/policy":
        return `is ${policyText(this.#policy)}. Give one of ${policiesFor(this.#asked)}, with :key=value,…`;
      case "/iterations": {
        const { kind: policy, iterations } = this.#policy as { kind: string; iterations?: number };
        return `is ${iterations ?? `as ${policy} has it`}. Give a whole number.`;
      }
      case "/seed":
        return `is ${seed}. Give a whole number.`;
      case "/history":
        return `is ${this.#hasHistory ? "on" : "off"}. Give on or off.`;
      case "/system":
        return `is ${system ?? NO_ADAPTER}. Give a text, or ${NO_ADAPTER}.`;
      case "/edit":
        return "makes the last answer anew. Give what stays of it, [6] for six tokens to fill, {a draft} for what may change.";
      case "/adapter": {
        const { base, adapter, name: current } = this.#asked;
        const fitting = (await library()).filter(({ baseName }) => baseName === base.name);
        const names = [...fitting.map((each) => each.name), NO_ADAPTER];
        return `is ${adapter === undefined ? NO_ADAPTER : current}. Give one of ${names.join(", ")}.`;
      }
    }
  }

  /** Takes settings for the answers to come, if the model can answer by them. */
  #set(flags: Partial<ChatFlags>): undefined {
    const next = { ...this.#flags, ...flags };
    checkSampling(next, this.#asked);
    this.#flags = next;
    return undefined;
  }

  async #ask(adapter: string): Promise<undefined> {
    const { base, adapter: before } = this.#asked;
    const chosen = await chosenModel({ adapter, base: base.name });
    checkSampling(this.#flags, chosen);
    this.#asked = await loadModel(this.#cli, this.#runtime, chosen);
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

  /** How answers are sampled. */
  get #policy(): { readonly kind: string } {
    const { policy } = samplingOptions(this.#flags, this.#asked);
    return typeof policy === "string" ? { kind: policy } : (policy as { kind: string });
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

  async #answer(messages: ChatMessage[], start: CanvasStart = {}): Promise<Turn> {
    const { system, seed = 0n } = this.#flags;
    const { name: model, base } = this.#asked;
    const policy = this.#policy;
    const asked =
      system === undefined ? messages : [{ role: "system" as const, content: system }, ...messages];
    this.#stop = new AbortController();
    this.#isAnswering = true;
    try {
      const options = { ...samplingOptions(this.#flags, this.#asked), ...start, messages: asked, seed };
      const answer = await answered(this.#cli, this.#asked, options, this.#stop.signal);
      this.#messages = [...messages, { role: "assistant", content: answer.text }];
      return { question: messages.at(-1)?.content ?? "", answer, model, base: base.name, policy, seed };
    } finally {
      this.#isAnswering = false;
    }
  }
}

/** `remask:iterations=8` */
function policyText({ kind, ...settings }: { readonly kind?: string }): string {
  const given = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return given.length === 0 ? String(kind) : `${kind}:${given.join(",")}`;
}
