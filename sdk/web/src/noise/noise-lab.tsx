/** Noise lab: what noise makes of a sentence, and how models repair it, step by step. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { About, NoiseLevels, NoiseReply } from "../../../src/demo/messages.js";
import { call } from "../core/api.js";
import { play } from "../core/clock.js";
import { Lane } from "../core/lane.js";
import { type LaneSession, MOST_LANES } from "../core/session.js";
import { LaneView } from "../denoise/lane-view.js";
import { Share } from "../parts/share.js";
import { Compare } from "./compare.js";
import { Drawn } from "./drawn.js";
import { Histogram } from "./histogram.js";
import { KINDS, percent } from "./kinds.js";
import { Rates } from "./rates.js";
import { piecesOf } from "./repairs.js";
import { type NoiseSession, noiseSession } from "./session.js";

/** Draws of the distribution. */
const DRAWS = 400;
/** Milliseconds in which a slider that moves asks once. */
const CALM_MS = 120;

export function NoiseLab({ about }: { about: About }) {
  const [first] = about.examples;
  const question = useSignal(first?.question ?? "");
  const text = useSignal(first?.answer ?? "");
  const levels = useSignal<NoiseLevels>({ masked: 0.3, swapped: 0.2, duplicated: 0, shifted: 0 });
  const seed = useSignal(1);
  const shown = useSignal(0);
  const reply = useSignal<NoiseReply | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  const lanes = useSignal<readonly Lane[]>([repairLane(about, about.models[0]?.id ?? "base")]);
  const corrupted = useComputed(() => reply.value?.drawn.corrupted.filter(Boolean).length ?? 0);
  /** Who repairs the next draw that comes, and how; of a session that was opened. */
  const toRepair = useRef<readonly LaneSession[] | undefined>(undefined);
  /** The draw that the lanes have repaired. */
  const repaired = useRef<NoiseReply | undefined>(undefined);
  useEffect(() => play(() => lanes.value), []);
  useEffect(() => {
    const request = { text: text.value, ...levels.value, seed: seed.value, draws: DRAWS };
    if (request.text.trim() === "") return;
    let isLeft = false;
    const waiting = setTimeout(() => {
      call<NoiseReply>("noise", request).then(
        (made) => {
          if (isLeft) return; // another draw is on its way
          reply.value = made;
          problem.value = undefined;
          if (toRepair.current !== undefined) repair(toRepair.current);
          toRepair.current = undefined;
        },
        (error: Error) => {
          if (!isLeft) problem.value = error.message;
        },
      );
    }, CALM_MS);
    return () => {
      isLeft = true;
      clearTimeout(waiting);
    };
  }, [text.value, levels.value, seed.value]);

  const another = () => {
    shown.value = (shown.value + 1) % about.examples.length;
    question.value = about.examples[shown.value]?.question ?? "";
    text.value = about.examples[shown.value]?.answer ?? "";
  };
  const repair = (sessions: readonly LaneSession[] = []) => {
    const { value } = reply;
    if (value === undefined) return;
    repaired.current = value;
    const asked = { question: question.value, seed: seed.value };
    lanes.value.forEach((lane, index) => {
      void lane.ask(asked, sessions[index]?.edits, piecesOf(value.drawn));
    });
  };
  const session = (): NoiseSession => ({
    version: 1,
    text: text.value,
    question: question.value,
    levels: levels.value,
    seed: seed.value,
    isRepaired: reply.value !== undefined && repaired.current === reply.value,
    lanes: lanes.value.map((lane) => lane.session),
  });
  const open = (json: string) => {
    const opened = noiseSession(json);
    for (const lane of lanes.value) lane.stop();
    toRepair.current = opened.isRepaired ? opened.lanes : undefined;
    lanes.value = opened.lanes.map(({ model, policy }) => new Lane(about, model, policy));
    question.value = opened.question;
    text.value = opened.text;
    levels.value = { ...opened.levels }; // draws, also where all is as it was
    seed.value = opened.seed;
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
          <span class="space" />
          <Share name="noise" session={session} onOpen={open} />
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
          <section class="card whole" aria-label="Token by token">
            <h2>Token by token, in {DRAWS} draws</h2>
            <Rates reply={reply.value} />
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
      <Compare
        about={about}
        question={question.value}
        request={{ text: text.value, ...levels.value, seed: seed.value }}
      />
    </>
  );
}

function repairLane(about: About, model: string): Lane {
  return new Lane(about, model, { kind: "refine", iterations: 8 });
}
