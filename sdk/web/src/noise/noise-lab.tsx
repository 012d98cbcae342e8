/** Noise lab: what noise makes of a sentence, and how models repair it, step by step. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { About, NoiseReply } from "../../../src/demo/messages.js";
import type { AnswerPiece } from "../../../src/index.js";
import { call } from "../core/api.js";
import { play } from "../core/clock.js";
import { Lane } from "../core/lane.js";
import { MOST_LANES } from "../core/session.js";
import { LaneView } from "../denoise/lane-view.js";
import { Drawn } from "./drawn.js";
import { Histogram } from "./histogram.js";

/** The corruptions, as the noise `fixed` names them. */
const KINDS = [
  ["masked", "Masks", "the share of the tokens that is hidden"],
  ["swapped", "Swaps", "with this probability neighbours change places"],
  ["duplicated", "Duplications", "with this probability a token becomes a copy of its neighbour"],
  ["shifted", "Span shift", "with this probability a span is copied elsewhere"],
] as const;
type Levels = Record<(typeof KINDS)[number][0], number>;

/** Draws of the distribution. */
const DRAWS = 400;
/** Milliseconds in which a slider that moves asks once. */
const CALM_MS = 120;

export function NoiseLab({ about }: { about: About }) {
  const [first] = about.examples;
  const question = useSignal(first?.question ?? "");
  const text = useSignal(first?.answer ?? "");
  const levels = useSignal<Levels>({ masked: 0.3, swapped: 0.2, duplicated: 0, shifted: 0 });
  const seed = useSignal(1);
  const shown = useSignal(0);
  const reply = useSignal<NoiseReply | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  const lanes = useSignal<readonly Lane[]>([repairLane(about, about.models[0]?.id ?? "base")]);
  const corrupted = useComputed(() => reply.value?.drawn.corrupted.filter(Boolean).length ?? 0);
  useEffect(() => play(() => lanes.value), []);
  useEffect(() => {
    const request = { text: text.value, ...levels.value, seed: seed.value, draws: DRAWS };
    if (request.text.trim() === "") return;
    const waiting = setTimeout(() => {
      call<NoiseReply>("noise", request).then(
        (made) => {
          reply.value = made;
          problem.value = undefined;
        },
        (error: Error) => {
          problem.value = error.message;
        },
      );
    }, CALM_MS);
    return () => clearTimeout(waiting);
  }, [text.value, levels.value, seed.value]);

  const another = () => {
    shown.value = (shown.value + 1) % about.examples.length;
    question.value = about.examples[shown.value]?.question ?? "";
    text.value = about.examples[shown.value]?.answer ?? "";
  };
  const repair = () => {
    const { value } = reply;
    if (value === undefined) return;
    const asked = { question: question.value, seed: seed.value };
    for (const lane of lanes.value) void lane.ask(asked, [], piecesOf(value.drawn));
  };
  return (
    <>
      <form
        class="ask card"
        onSubmit={(event) => {
          event.preventDefault();
          repair();
        }}
      >
        <label for="noise-text">Sentence</label>
        <textarea
          id="noise-text"
          rows={2}
          required
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
        <label for="noise-question">The question that it answers</label>
        <textarea
          id="noise-question"
          rows={2}
          required
          value={question.value}
          onInput={(event) => {
            question.value = event.currentTarget.value;
          }}
        />
        <div class="levels">
          {KINDS.map(([kind, name, help]) => (
            <div class="level" key={kind}>
              <label for={`level-${kind}`}>{name}</label>
              <input
                id={`level-${kind}`}
                type="range"
                min={0}
                max={1}
                step={0.05}
                value={levels.value[kind]}
                aria-describedby={`level-${kind}-help`}
                aria-valuetext={percent(levels.value[kind])}
                onInput={(event) => {
                  levels.value = { ...levels.value, [kind]: event.currentTarget.valueAsNumber };
                }}
              />
              <span>{percent(levels.value[kind])}</span>
              <small id={`level-${kind}-help`}>{help}</small>
            </div>
          ))}
        </div>
        <div class="bar">
          <button type="submit" class="primary">
            Repair it
          </button>
          <button
            type="button"
            onClick={() => {
              seed.value += 1;
            }}
          >
            Draw again
          </button>
          <button type="button" onClick={another}>
            Another sentence
          </button>
        </div>
      </form>
      {problem.value !== undefined && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      {reply.value && (
        <div class="noise-views">
          <section class="card" aria-label="One draw">
            <h2>One draw</h2>
            <Drawn drawn={reply.value.drawn} />
            <p class="about">
              {corrupted} of {reply.value.clean.ids.length} tokens are corrupted.
            </p>
          </section>
          <section class="card" aria-label="Many draws">
            <h2>{DRAWS} draws</h2>
            <Histogram counts={reply.value.counts} />
          </section>
        </div>
      )}
      <div class="bar" role="toolbar" aria-label="Repair">
        <button
          type="button"
          disabled={lanes.value.length >= MOST_LANES}
          onClick={() => {
            const last = lanes.value.at(-1)?.model.value ?? "base";
            lanes.value = [...lanes.value, repairLane(about, last)];
          }}
        >
          Add a model
        </button>
      </div>
      <div class={`lanes of-${lanes.value.length}`}>
        {lanes.value.map((lane, index) => (
          <LaneView
            key={lane.key}
            lane={lane}
            number={index + 1}
            about={about}
            clean={reply.value?.clean.ids}
            onRemove={
              lanes.value.length === 1
                ? undefined
                : () => {
                    lane.stop();
                    lanes.value = lanes.value.filter((one) => one !== lane);
                  }
            }
          />
        ))}
      </div>
    </>
  );
}

function repairLane(about: About, model: string): Lane {
  return new Lane(about, model, { kind: "refine", iterations: 8 });
}

/** What was drawn, for a sampler to begin from: its masks are gaps, all else may change. */
function piecesOf({ ids, masked }: NoiseReply["drawn"]): AnswerPiece[] {
  const pieces: AnswerPiece[] = [];
  let from = 0;
  for (let to = 1; to <= ids.length; to++) {
    if (to < ids.length && masked[to] === masked[from]) continue;
    pieces.push(
      masked[from] ? { kind: "gap", lengths: [to - from] } : { kind: "draft", of: ids.slice(from, to) },
    );
    from = to;
  }
  return pieces;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
