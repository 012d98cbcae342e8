/** Denoise: ask, and watch the answer form, in up to three lanes from one seed. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { About } from "../../../src/demo/messages.js";
import { announce } from "../core/announce.js";
import { fragment } from "../core/api.js";
import { PACES, type Pace, pace, play } from "../core/clock.js";
import { Lane } from "../core/lane.js";
import {
  type Asked,
  fromLink,
  fromText,
  MOST_LANES,
  type PolicyValues,
  type Session,
  toLink,
} from "../core/session.js";
import { Legend } from "../parts/legend.js";
import { AskForm } from "./ask-form.js";
import { LaneView } from "./lane-view.js";

export function Denoise({ about }: { about: About }) {
  const lanes = useSignal<readonly Lane[]>([firstLane(about)]);
  const asked = useSignal<Asked>({ question: about.examples[0]?.question ?? "", seed: 1 });
  const problem = useSignal<string | undefined>(undefined);
  useEffect(() => play(() => lanes.value), []);

  const open = (session: Session) => {
    for (const lane of lanes.value) lane.stop();
    asked.value = session.asked;
    lanes.value = session.lanes.map(({ model, policy }) => new Lane(about, model, policy));
    problem.value = undefined;
    session.lanes.forEach(({ edits }, index) => void lanes.value[index]?.ask(session.asked, edits));
  };
  const opened = (read: () => Session) => {
    try {
      open(read());
    } catch (error) {
      problem.value = (error as Error).message;
    }
  };
  const session = (): Session => ({
    version: 1,
    asked: asked.value,
    lanes: lanes.value.map((lane) => lane.session),
  });
  useEffect(() => {
    const link = fragment().get("session");
    if (link !== null) opened(() => fromLink(link));
  }, []);

  const share = async () => {
    const address = new URL(`#session=${toLink(session())}`, location.href);
    history.replaceState(undefined, "", address);
    const isCopied = await navigator.clipboard?.writeText(address.href).then(
      () => true,
      () => false,
    );
    announce(isCopied ? "The link is copied." : "The link is in the address bar.");
  };
  const add = () => {
    const last = lanes.value.at(-1);
    const { model, policy } = last?.session ?? { model: "base", policy: { kind: "ar" } as PolicyValues };
    lanes.value = [...lanes.value, new Lane(about, model, policy)];
  };
  return (
    <>
      <AskForm
        about={about}
        asked={asked.value}
        onAsk={(given) => {
          asked.value = given;
          for (const lane of lanes.value) void lane.ask(given);
        }}
      />
      <div class="bar" role="toolbar" aria-label="Lanes and session">
        <button type="button" onClick={add} disabled={lanes.value.length >= MOST_LANES}>
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
        <button type="button" onClick={() => void share()}>
          Copy a link
        </button>
        <button type="button" onClick={() => saved(session())}>
          Save
        </button>
        <label class="button">
          Open
          <input
            class="unseen"
            type="file"
            accept="application/json"
            aria-label="Open a saved session"
            onChange={async (event) => {
              const [file] = event.currentTarget.files ?? [];
              const text = await file?.text();
              if (text !== undefined) opened(() => fromText(text));
            }}
          />
        </label>
      </div>
      {problem.value !== undefined && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      {about.models.length === 1 && (
        <p class="about">
          There is no adapter on {about.baseName} yet: the base writes from left to right. Train one under
          “Training”, or with <code>lad train</code>.
        </p>
      )}
      <div class={`lanes of-${lanes.value.length}`}>
        {lanes.value.map((lane, index) => (
          <LaneView
            key={lane.key}
            lane={lane}
            number={index + 1}
            about={about}
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
      <Legend />
    </>
  );
}

/** The adapter that was saved last, or the base. */
export function firstLane(about: About): Lane {
  const model = about.models[0]?.id ?? "base";
  return new Lane(about, model, { kind: model === "base" ? "ar" : "remask" });
}

function saved(session: Session): void {
  const url = URL.createObjectURL(
    new Blob([JSON.stringify(session, undefined, 2)], { type: "application/json" }),
  );
  const link = Object.assign(document.createElement("a"), { href: url, download: "lad-session.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
