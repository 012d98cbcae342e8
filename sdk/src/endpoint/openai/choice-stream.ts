/** The streams of OpenAI's two APIs of choices, whose chunks differ in what a choice holds. */
import type { Finished } from "../asking/answering.js";
import type { Begun } from "../desk.js";
import type { SentEvent } from "../event-stream.js";
import { frameChunk, usageOf } from "./usage.js";

/** How an API tells what happens to a choice. */
export interface ToldChoices {
  /** The choices of the chunks before there is anything of the answers. */
  readonly begun?: (index: number) => object;
  readonly delta: (index: number, text: string) => object;
  readonly finished: (index: number, answer: Finished) => readonly object[];
}

/**
 * The events of a stream, up to the last.
 *
 * @param head - what every chunk begins with
 */
export async function* choiceStream(
  head: object,
  begun: Begun,
  told: ToldChoices,
  includesUsage: boolean,
): AsyncGenerator<SentEvent, void, undefined> {
  const chunk = (choice: object): SentEvent => ({ data: { ...head, choices: [choice] } });
  const answers: Finished[] = [];
  if (told.begun !== undefined) {
    for (let index = 0; index < begun.choices; index++) yield chunk(told.begun(index));
  }
  for await (const event of begun.events) {
    if (event.type === "frame") yield { data: frameChunk(head, event.frame) };
    if (event.type === "delta") yield chunk(told.delta(event.choice, event.text));
    if (event.type !== "finished") continue;
    answers.push(event.answer);
    yield* told.finished(event.choice, event.answer).map(chunk);
  }
  if (includesUsage) yield { data: { ...head, choices: [], usage: usageOf(begun, answers) } };
  yield { data: "[DONE]" };
}
