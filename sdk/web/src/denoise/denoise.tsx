/** Denoise: ask, and watch the answer form, in up to three lanes from one seed. */
import { useEffect, useMemo } from "preact/hooks";
import type { About } from "../../../src/demo/messages.js";
import { PACES, type Pace, pace, play } from "../core/clock.js";
import { Lane } from "../core/lane.js";
import { MOST_LANES, sessionOf } from "../core/session.js";
import { Turns } from "../core/turns.js";
import { Legend } from "../parts/legend.js";
import { basePolicy } from "../parts/policy-form.js";
import { Share } from "../parts/share.js";
import { AskForm } from "./ask-form.js";
import { Earlier } from "./earlier.js";
import { LaneView } from "./lane-view.js";

export function Denoise({ about }: { about: About }) {
  const turns = useMemo(
    () => new Turns({ question: about.examples[0]?.question ?? "", seed: 1 }, firstLane(about)),
    [],
  );
  const { lanes } = turns;
  useEffect(() => play(() => turns.lanes), []);
  const add = () => {
    const last = lanes.at(-1);
    const { model, policy } = last?.session ?? { model: "base", policy: basePolicy(about) };
    turns.lanes = [...lanes, new Lane(about, model, policy)];
  };
  return (
    <>
      <AskForm about={about} asked={turns.turn.value.asked} onAsk={(given) => turns.ask(given)} />
      <Earlier turns={turns} />
      <div class="bar" role="toolbar" aria-label="Lanes and session">
        <button type="button" onClick={add} disabled={lanes.length >= MOST_LANES}>
          Add a lane
        </button>
        <label class="field">
          <span>Pace</span>
          <select
            value={pace.value}
            onChange={(event) => {
              pace.value = event.currentTarget.value as Pace;
            }}
          >
            {Object.keys(PACES).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <span class="space" />
        <Share
          name="session"
          session={() => turns.session}
          onOpen={(text) =>
            turns.open(sessionOf(text), ({ model, policy }) => new Lane(about, model, policy))
          }
        />
      </div>
      {about.models.length === 1 && (
        <p class="about">
          There is no adapter on {about.baseName} yet: the base{" "}
          {about.baseDenoises ? "itself denoises" : "writes from left to right"}. Train one under “Training”,
          or with <code>lad train</code>.
        </p>
      )}
      <div class={`lanes of-${lanes.length}`}>
        {lanes.map((lane, index) => (
          <LaneView
            key={lane.key}
            lane={lane}
            number={index + 1}
            about={about}
            onRemove={
              lanes.length === 1
                ? undefined
                : () => {
                    lane.stop();
                    turns.lanes = lanes.filter((one) => one !== lane);
                  }
            }
          />
        ))}
      </div>
      <Legend />
    </>
  );
}

/** The adapter that was saved last, or the base. */
export function firstLane(about: About): Lane {
  const model = about.models[0]?.id ?? "base";
  return new Lane(about, model, model === "base" ? basePolicy(about) : { kind: "remask" });
}
