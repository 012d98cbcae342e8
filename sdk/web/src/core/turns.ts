/** The questions of a session, one after another, each with its lanes. */
import { computed, signal } from "@preact/signals";
import type { Lane } from "./lane.js";
import { type Asked, type LaneSession, MOST_TURNS, type Session } from "./session.js";

/** A question and its lanes. */
export interface Turn {
  readonly asked: Asked;
  readonly lanes: readonly Lane[];
  /** What its lanes are to do when it is shown: those of a link or file, or whose run was left. Undefined: they have done it. */
  readonly waiting?: readonly LaneSession[] | undefined;
}

export class Turns {
  readonly all = signal<readonly Turn[]>([]);
  /** The number of the turn on display. */
  readonly shown = signal(0);
  readonly turn = computed(() => this.all.value[this.shown.value] as Turn);

  constructor(asked: Asked, lane: Lane) {
    this.all.value = [{ asked, lanes: [lane] }];
  }

  get lanes(): readonly Lane[] {
    return this.turn.value.lanes;
  }

  set lanes(lanes: readonly Lane[]) {
    this.#replace({ ...this.turn.value, lanes });
  }

  /** Asks the lanes on display. What they answered before stays behind as a turn of its own. */
  ask(asked: Asked): void {
    const { turn } = this;
    const { lanes } = turn.value;
    if (lanes.some(({ entries }) => entries.value.length > 0)) {
      const isLeft = lanes.some(({ status }) => status.value === "running");
      const waiting = isLeft ? lanes.map(({ session }) => session) : undefined;
      this.#replace({ ...turn.value, lanes: lanes.map((lane) => lane.copy()), waiting });
      this.all.value = [...this.all.value, { asked, lanes }].slice(-MOST_TURNS);
      this.shown.value = this.all.value.length - 1;
    } else this.#replace({ asked, lanes });
    for (const lane of lanes) void lane.ask(asked);
  }

  /** Shows a turn, and has its lanes do what is still waiting. */
  show(number: number): void {
    this.shown.value = number;
    const { asked, lanes, waiting } = this.turn.value;
    if (waiting === undefined) return;
    this.#replace({ asked, lanes });
    lanes.forEach((lane, index) => void lane.ask(asked, waiting[index]?.edits));
  }

  /** Leaves all there is for a session. */
  open({ turns, shown }: Session, laneOf: (lane: LaneSession) => Lane): void {
    for (const { lanes } of this.all.value) for (const lane of lanes) lane.stop();
    this.all.value = turns.map(({ asked, lanes }) => ({ asked, lanes: lanes.map(laneOf), waiting: lanes }));
    this.show(shown);
  }

  get session(): Session {
    const turns = this.all.value.map(({ asked, lanes, waiting }) => ({
      asked,
      lanes: waiting ?? lanes.map(({ session }) => session),
    }));
    return { version: 1, turns, shown: this.shown.value };
  }

  #replace(turn: Turn): void {
    this.all.value = this.all.value.map((one, number) => (number === this.shown.value ? turn : one));
  }
}
