/** Takes questions, and gives the answers to whoever translates them for an API. */
import { setMaxListeners } from "node:events";
import type { Context } from "hono";
import { cancelled, isLadError } from "../errors.js";
import { refusalOf } from "../http/refusal.js";
import { type AnswerEvent, type Answering, beginAnswering, type Finished } from "./asking/answering.js";
import { Load } from "./asking/load.js";
import type { Question } from "./asking/question.js";
import type { SentEvent, StreamEnds } from "./event-stream.js";
import type { Models, UsedModel } from "./models.js";

/** Answers that have begun, and are read once. */
export interface Begun extends Omit<Answering, "events"> {
  readonly events: AsyncGenerator<AnswerEvent, void, undefined>;
}

/** What {@link Desk} bounds. */
export interface DeskLimits {
  /** Answers that are written at once. */
  readonly maxAnswers: number;
  /** How long a stream may go unread. */
  readonly unreadMs: number;
}

/** What every API asks its questions of. */
export class Desk {
  readonly models: Models;
  readonly #load: Load;
  readonly #unreadMs: number;
  readonly #closing: AbortSignal;
  /** Each ends one request's sampling. */
  readonly #stops = new Set<() => void>();
  readonly #onFailure: (error: unknown) => void;

  /**
   * @param closing - ends all sampling
   * @param onFailure - told of failures that are the endpoint's own
   */
  constructor(
    models: Models,
    { maxAnswers, unreadMs }: DeskLimits,
    closing: AbortSignal,
    onFailure: (error: unknown) => void = () => {},
  ) {
    this.models = models;
    this.#load = new Load(maxAnswers);
    this.#unreadMs = unreadMs;
    this.#closing = closing;
    this.#onFailure = onFailure;
    closing.addEventListener("abort", () => {
      for (const stop of this.#stops) stop();
    });
  }

  /**
   * Begins to answer. The sampling ends with the request: when its client goes away, and when its events are no longer read.
   *
   * @throws LadError or Refusal, before anything is sent
   */
  async begin(context: Context, question: Question): Promise<Begun> {
    const place = this.#load.enter(question.prompts.length * question.n);
    const sampling = new AbortController();
    setMaxListeners(0, sampling.signal); // each prompt's calls listen to it
    const gone = context.req.raw.signal;
    let isUnread = false;
    let hasLeft = false;
    const stop = () => {
      sampling.abort(cancelled("The request", gone));
      if (isUnread) leave(); // nobody will read what would end it
    };
    this.#stops.add(stop);
    gone.addEventListener("abort", stop);
    if (gone.aborted || this.#closing.aborted) stop();
    let used: UsedModel | undefined;
    const leave = () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#stops.delete(stop);
      gone.removeEventListener("abort", stop);
      used?.[Symbol.dispose]();
      place[Symbol.dispose]();
    };
    try {
      used = await this.models.use(question.model);
      const { events, ...begun } = await beginAnswering(question, used, sampling.signal);
      isUnread = true;
      if (sampling.signal.aborted) throw sampling.signal.reason;
      const reading = () => {
        isUnread = false;
      };
      return { ...begun, events: until(events(), reading, leave) };
    } catch (error) {
      if (used !== undefined && isLadError(error, "not-found")) this.models.forget(used);
      leave();
      throw error;
    }
  }

  /** Tells a failure in the middle of a stream, where its status can no longer do so, by the event of the client's API. */
  ends(event: (error: unknown) => SentEvent): StreamEnds {
    const failure = (error: unknown) => {
      if (refusalOf(error).status === 500) this.#onFailure(error);
      return event(error);
    };
    return { failure, unreadMs: this.#unreadMs };
  }

  /** Every answer to a question, in order. */
  async answers(begun: Begun): Promise<Finished[]> {
    const answers: Finished[] = [];
    for await (const event of begun.events)
      if (event.type === "finished") answers[event.choice] = event.answer;
    return answers;
  }
}

/** The same events; `begin` is called before the first, `leave` when the last has been read, or when they are left. */
async function* until<Event>(
  events: AsyncGenerator<Event, void, undefined>,
  begin: () => void,
  leave: () => void,
) {
  try {
    begin();
    yield* events;
  } finally {
    leave();
  }
}
