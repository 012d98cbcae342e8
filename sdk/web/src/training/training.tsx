/** Training: a run's CE while it goes on, with a sample of it every so many steps. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { About, ShownRun } from "../../../src/demo/messages.js";
import { announce } from "../core/announce.js";
import { call } from "../core/api.js";
import { Curve } from "./curve.js";
import { Followed } from "./followed.js";
import { KeepForm } from "./keep-form.js";

export function Training({
  about,
  isShown,
  onTrained,
}: {
  about: About;
  isShown: boolean;
  /** Called when there is another model to ask. */
  onTrained: () => Promise<void>;
}) {
  const runs = useSignal<readonly ShownRun[]>([]);
  const followed = useSignal<Followed | undefined>(undefined);
  const question = useSignal(about.examples[0]?.question ?? "");
  const everySteps = useSignal(50);
  const problem = useSignal<string | undefined>(undefined);

  const list = async () => {
    runs.value = await call<ShownRun[]>("runs");
  };
  const follow = (id: string) => {
    const run = runs.value.find((one) => one.id === id);
    if (run === undefined || followed.value?.run.id === id) return;
    followed.value?.leave();
    followed.value = new Followed(run);
    void followed.value
      .follow(() => ({ question: question.value, everySteps: everySteps.value }))
      .then(() => announce(`The run is ${followed.value?.state.value}.`));
  };
  const safely = async (act: () => Promise<void>) => {
    try {
      await act();
      problem.value = undefined;
    } catch (error) {
      problem.value = (error as Error).message;
    }
  };
  useEffect(() => {
    if (!isShown) return;
    void safely(async () => {
      await list();
      const [last] = runs.value;
      if (followed.value === undefined && last) follow(last.id);
    });
  }, [isShown]);

  const start = (form: HTMLFormElement) =>
    safely(async () => {
      const given = new FormData(form);
      const number = (name: string) => Number(given.get(name));
      const request = { rank: number("rank"), steps: number("steps"), seed: number("seed") };
      const { id } = await call<{ id: string }>("runs", request);
      await list();
      follow(id);
      await onTrained();
    });
  const run = followed.value;
  const isUnderWay = run !== undefined && ["running", "queued", "resumed"].includes(run.state.value);
  return (
    <>
      {about.steps !== undefined && (
        <form
          class="card bar train"
          aria-label="Start a training"
          onSubmit={(event) => {
            event.preventDefault();
            void start(event.currentTarget);
          }}
        >
          <label class="field">
            <span>Rank</span>
            <input name="rank" type="number" min={1} defaultValue="16" required />
          </label>
          <label class="field">
            <span>Steps</span>
            <input name="steps" type="number" min={1} defaultValue={String(about.steps)} required />
          </label>
          <label class="field">
            <span>Seed</span>
            <input name="seed" type="number" min={0} defaultValue="1" required />
          </label>
          <button type="submit" class="primary">
            Train an adapter
          </button>
        </form>
      )}
      {problem.value !== undefined && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <div class="bar">
        <label class="field">
          <span>Run</span>
          <select
            value={run?.run.id ?? ""}
            disabled={runs.value.length === 0}
            onChange={(event) => follow(event.currentTarget.value)}
          >
            {runs.value.length === 0 && <option value="">none yet</option>}
            {runs.value.map(({ id, created, totalSteps }) => (
              <option key={id} value={id}>
                {new Date(created).toLocaleString()}, {totalSteps} steps
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Sample every</span>
          <input
            type="number"
            min={1}
            defaultValue={String(everySteps.value)}
            onInput={(event) => {
              everySteps.value = Math.max(1, event.currentTarget.valueAsNumber || 1);
            }}
          />
          <span>steps</span>
        </label>
        {isUnderWay && (
          <button type="button" onClick={() => void safely(() => call(`runs/${run.run.id}/cancel`, {}))}>
            Stop the run
          </button>
        )}
      </div>
      <label class="sampled">
        <span>Question that is sampled</span>
        <textarea
          rows={2}
          value={question.value}
          onInput={(event) => {
            question.value = event.currentTarget.value;
          }}
        />
      </label>
      {run && <RunView key={run.run.id} run={run} onKept={about.canKeep ? onTrained : undefined} />}
    </>
  );
}

function RunView({ run, onKept }: { run: Followed; onKept: (() => Promise<void>) | undefined }) {
  const steps = run.training.value.at(-1)?.step ?? 0;
  const speed = run.tokensPerSecond.value;
  return (
    <div class="run-view">
      <section class="card" aria-label="CE of the run">
        <h2>
          {run.state.value}, {steps} of {run.run.totalSteps} steps
          {speed > 0 && `, ${Math.round(speed).toLocaleString("en")} tokens/s`}
        </h2>
        <Curve
          training={run.training.value}
          validation={run.validation.value}
          totalSteps={run.run.totalSteps}
        />
        {run.problem.value !== undefined && (
          <p class="problem" role="alert">
            {run.problem.value}
          </p>
        )}
        {onKept && run.run.model !== undefined && steps > 0 && (
          <KeepForm runId={run.run.id} onKept={onKept} />
        )}
      </section>
      <section class="card" aria-label="Samples">
        <h2>Samples</h2>
        {run.samples.value.length === 0 && <p class="about">None yet.</p>}
        <ol class="samples">
          {run.samples.value.map(({ step, text }) => (
            <li key={step}>
              <span class="about">step {step}</span>
              <p>{text === "" ? "(nothing)" : text}</p>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}
