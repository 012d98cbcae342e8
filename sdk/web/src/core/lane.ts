/** A lane: one model and one policy, the iterations of its answer, and what the user did to them. */
import { computed, signal } from "@preact/signals";
import type { SampleLine, SampleRequest, ShownAnswer, ShownFrame } from "../../../src/demo/messages.js";
import type { AnswerPiece } from "../../../src/index.js";
import { stream } from "./api.js";
import { type Cell, cellsOf, type Facts } from "./cells.js";
import { type Edit, edited } from "./edits.js";
import type { Asked, LaneSession, PlacedEdit, PolicyValues } from "./session.js";

/** An iteration that can be shown. */
export interface Entry {
  readonly frame: ShownFrame;
  readonly cells: readonly Cell[];
  /** The user's pins, by position. */
  readonly pins: readonly boolean[];
  /** Of the state that an edit has left, without a forward. */
  readonly edit?: Edit | undefined;
}

export type LaneStatus = "idle" | "running" | "done" | "failed";

/** What undoing goes back to. */
interface Past {
  readonly entries: readonly Entry[];
  readonly edits: readonly PlacedEdit[];
  readonly answer: ShownAnswer | undefined;
  readonly shown: number;
}

type Known = Facts & { readonly eosTokenId: number };

let made = 0;

export class Lane {
  /** Tells lanes apart on a page. */
  readonly key = `lane-${++made}`;
  readonly model = signal("");
  readonly policy = signal<PolicyValues>({ kind: "remask" });
  readonly entries = signal<readonly Entry[]>([]);
  /** The number of the entry on display. */
  readonly shown = signal(0);
  readonly isPlaying = signal(false);
  readonly status = signal<LaneStatus>("idle");
  readonly problem = signal<string | undefined>(undefined);
  readonly answer = signal<ShownAnswer | undefined>(undefined);
  readonly edits = signal<readonly PlacedEdit[]>([]);
  readonly entry = computed(() => this.entries.value[this.shown.value]);
  readonly #past = signal<readonly Past[]>([]);
  readonly canUndo = computed(() => this.#past.value.length > 0);
  readonly #underWay = signal(0);
  /** Whether what it shows is still changing. */
  readonly isBusy = computed(
    () => this.#underWay.value > 0 || this.status.value === "running" || this.isPlaying.value,
  );
  readonly #facts: Known;
  #asked: Asked | undefined;
  /** Who was asked how: what a form says since then counts when it is asked anew. */
  #settings: Pick<LaneSession, "model" | "policy"> | undefined;
  #turn = 0;
  #stop = new AbortController();
  /** Iterations that came since the last paint: they are taken in together. */
  #arrived: ShownFrame[] = [];

  constructor(facts: Known, model: string, policy: PolicyValues) {
    this.#facts = facts;
    this.model.value = model;
    this.policy.value = policy;
  }

  get session(): LaneSession {
    return { ...(this.#settings ?? this.#chosen), edits: this.edits.value };
  }

  get #chosen(): Pick<LaneSession, "model" | "policy"> {
    return { model: this.model.value, policy: this.policy.value };
  }

  /** A lane with all that this one shows now, whatever becomes of this one. */
  copy(): Lane {
    const { model, policy } = this.session;
    const copy = new Lane(this.#facts, model, policy);
    copy.entries.value = this.entries.value;
    copy.edits.value = this.edits.value;
    copy.answer.value = this.answer.value;
    copy.shown.value = this.shown.value;
    copy.problem.value = this.problem.value;
    copy.status.value = this.status.value === "running" ? "done" : this.status.value;
    copy.#past.value = this.#past.value;
    copy.#asked = this.#asked;
    copy.#settings = this.#settings;
    return copy;
  }

  /** Asks anew, then makes the edits again that a session has. Resolves when all forwards are computed. */
  async ask(asked: Asked, edits: readonly PlacedEdit[] = [], answer?: readonly AnswerPiece[]): Promise<void> {
    const turn = ++this.#turn;
    this.#asked = asked;
    this.#settings = this.#chosen;
    this.entries.value = [];
    this.edits.value = [];
    this.#past.value = [];
    this.shown.value = 0;
    const { draft, strength } = asked;
    this.#underWay.value += 1;
    await this.#run(draft === undefined ? { answer } : { draft, strength });
    for (const { at, edit } of edits) if (turn === this.#turn) await this.edit(edit, at);
    this.#underWay.value -= 1;
  }

  /** Edits the answer as it stands in an iteration, drops those behind it, and goes on from there. */
  async edit(edit: Edit, at: number = this.shown.value): Promise<void> {
    const entry = this.entries.value[at];
    if (entry?.frame.state === undefined) return;
    this.#remember();
    this.edits.value = [...this.edits.value.filter((placed) => placed.at < at), { at, edit }];
    const pinsBefore = entry.frame.state.ids.map((_, p) => entry.pins[p] === true);
    const before = { state: entry.frame.state, pins: pinsBefore, sampled: entry.frame.answer };
    const { state, pins, goesOn, strength } = edited(before, edit, this.#facts);
    this.#leave();
    const answer = state.ids.map((id, p) => (state.masked[p] ? (entry.frame.answer[p] ?? id) : id));
    const frame: ShownFrame = {
      ...entry.frame,
      edits: [],
      answer,
      pieces: texts(answer, entry, edit),
      state,
    };
    const hasDraft = edit.kind === "draft";
    const cells = cellsOf(frame, hasDraft ? undefined : entry.cells, this.#facts, { pins, hasDraft });
    this.entries.value = [...this.entries.value.slice(0, at + 1), { frame, cells, pins, edit }];
    this.shown.value = at + 1;
    if (goesOn) await this.#run({ from: state, strength });
    else this.status.value = "done";
  }

  /** Takes the last edit back. */
  undo(): void {
    const last = this.#past.value.at(-1);
    if (last === undefined) return;
    this.#leave();
    this.#past.value = this.#past.value.slice(0, -1);
    this.entries.value = last.entries;
    this.edits.value = last.edits;
    this.answer.value = last.answer;
    this.shown.value = last.shown;
    this.status.value = "done";
    this.isPlaying.value = false;
    const { state } = last.entries.at(-1)?.frame ?? {};
    if (last.answer === undefined && state?.stopped === undefined) void this.#run({ from: state });
  }

  /** Ends the run that is under way. */
  stop(): void {
    this.#takeIn(false);
    this.#leave();
    if (this.status.value === "running") this.status.value = "done";
    this.isPlaying.value = false;
  }

  /** Shows the next iteration, if it is there; whether more may follow. */
  advance(): boolean {
    const last = this.entries.value.length - 1;
    if (this.shown.value < last) this.shown.value += 1;
    return this.shown.value < last || this.status.value === "running";
  }

  #remember(): void {
    const past = {
      entries: this.entries.value,
      edits: this.edits.value,
      answer: this.answer.value,
      shown: this.shown.value,
    };
    this.#past.value = [...this.#past.value, past];
  }

  async #run(beginning: Partial<SampleRequest>): Promise<void> {
    const stop = new AbortController();
    this.#leave();
    this.#stop = stop;
    this.status.value = "running";
    this.problem.value = undefined;
    this.answer.value = undefined;
    this.isPlaying.value = true;
    const { question = "", seed = 0, answerTokens, temperature } = this.#asked ?? {};
    const request: SampleRequest = {
      ...(this.#settings ?? this.#chosen),
      question,
      seed,
      answerTokens,
      temperature,
      ...beginning,
    };
    const hasDraft = beginning.draft !== undefined;
    try {
      for await (const line of stream<SampleLine>("sample", request, stop.signal)) {
        if (stop.signal.aborted) return;
        if (line.type === "answer") {
          this.#takeIn(hasDraft);
          this.answer.value = line;
        } else if (this.#arrived.push(line) === 1) {
          beforePaint(() => {
            if (!stop.signal.aborted) this.#takeIn(hasDraft);
          });
        }
      }
      this.#takeIn(hasDraft);
      this.status.value = "done";
    } catch (error) {
      if (stop.signal.aborted) return;
      this.#takeIn(hasDraft);
      this.status.value = "failed";
      this.isPlaying.value = false;
      this.problem.value = (error as Error).message;
    }
  }

  /** Ends the run without what it has not shown yet. */
  #leave(): void {
    this.#stop.abort();
    this.#arrived = [];
  }

  #takeIn(hasDraft: boolean): void {
    if (this.#arrived.length === 0) return;
    const entries = [...this.entries.value];
    for (const frame of this.#arrived) {
      const last = entries.at(-1);
      const pins = last?.pins ?? frame.state?.pinned ?? [];
      entries.push({ frame, cells: cellsOf(frame, last?.cells, this.#facts, { pins, hasDraft }), pins });
    }
    this.#arrived = [];
    this.entries.value = entries;
  }
}

/** With the browser's next frame, or soon where the tab is hidden and has none. */
function beforePaint(act: () => void): void {
  if (document.hidden) setTimeout(act);
  else requestAnimationFrame(act);
}

/** The texts of tokens that stood there before, or that the user has written. */
function texts(ids: readonly number[], { frame }: Entry, edit: Edit): readonly string[] {
  const written = edit.kind === "write" || edit.kind === "draft" ? edit : { ids: [], pieces: [] };
  const known = new Map([
    ...frame.answer.map((id, p) => [id, frame.pieces[p] ?? ""] as const),
    ...written.ids.map((id, i) => [id, written.pieces[i] ?? ""] as const),
  ]);
  return ids.map((id) => known.get(id) ?? "");
}
