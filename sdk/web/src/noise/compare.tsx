/** Adapters side by side, such as those of a sweep: what each mends of the same draws. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { About, DemoModel, NoiseReply, NoiseRequest } from "../../../src/demo/messages.js";
import { announce } from "../core/announce.js";
import { call } from "../core/api.js";
import type { PolicyValues } from "../core/session.js";
import { PolicyForm, usable } from "../parts/policy-form.js";
import { percent } from "./kinds.js";
import { type Repairs, withRepair } from "./repairs.js";

interface Row {
  readonly model: DemoModel;
  readonly repairs: Repairs | undefined;
}

export function Compare({
  about,
  question,
  request,
}: {
  about: About;
  question: string;
  /** What is corrupted, and how; the draws have its seed and those after it. */
  request: Omit<NoiseRequest, "draws">;
}) {
  const models = about.models.filter(({ kind }) => kind !== "base");
  const policy = useSignal<PolicyValues>({ kind: "refine", iterations: 8 });
  const rows = useSignal<readonly Row[]>([]);
  const isBusy = useSignal(false);
  const problem = useSignal<string | undefined>(undefined);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  if (models.length === 0) return null;

  const compare = async (chosen: readonly DemoModel[], draws: number) => {
    stop.current.abort();
    stop.current = new AbortController();
    const { signal } = stop.current;
    rows.value = chosen.map((model) => ({ model, repairs: undefined }));
    isBusy.value = true;
    problem.value = undefined;
    try {
      for (let draw = 0; draw < draws; draw++) {
        const seed = request.seed + draw;
        const reply = await call<NoiseReply>("noise", { ...request, seed, draws: 1 });
        for (const { id } of chosen) {
          const asked = { model: id, question, policy: policy.value, seed };
          const before = rows.value.find(({ model }) => model.id === id)?.repairs;
          const repairs = await withRepair(before, reply, asked, signal);
          if (signal.aborted) return;
          rows.value = rows.value.map((row) => (row.model.id === id ? { ...row, repairs } : row));
        }
      }
      announce(`${chosen.length} adapters are compared on ${draws} draws.`);
    } catch (error) {
      if (!signal.aborted) problem.value = (error as Error).message;
    } finally {
      if (!signal.aborted) isBusy.value = false;
    }
  };
  return (
    <section class="card compare" aria-label="Adapters compared" aria-busy={isBusy.value}>
      <h2>Adapters compared</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const given = new FormData(event.currentTarget);
          const chosen = models.filter(({ id }) => given.getAll("model").includes(id));
          if (chosen.length > 0) void compare(chosen, Number(given.get("draws")));
          else problem.value = "No adapter is chosen.";
        }}
      >
        <fieldset class="choices">
          <legend>Adapters</legend>
          {models.map(({ id, name, kind }) => (
            <label key={id}>
              <input type="checkbox" name="model" value={id} defaultChecked={kind === "saved"} /> {name}
            </label>
          ))}
        </fieldset>
        <div class="lane-settings">
          <PolicyForm
            name="compare"
            policies={usable(about.policies, models[0]?.id ?? "")}
            values={policy.value}
            onChange={(values) => {
              policy.value = values;
            }}
          />
        </div>
        <div class="bar">
          <label class="field">
            <span>Draws</span>
            <input name="draws" type="number" min={1} max={100} defaultValue="8" required />
          </label>
          <button type="submit">Compare</button>
        </div>
      </form>
      {problem.value !== undefined && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      {rows.value.length > 0 && <Results rows={rows.value} />}
    </section>
  );
}

function Results({ rows }: { rows: readonly Row[] }) {
  return (
    // A wide table scrolls by itself, so that the keyboard has to reach it.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section class="scrolled" aria-label="Results" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Adapter</th>
            <th scope="col">Mended</th>
            <th scope="col">Spoilt</th>
            <th scope="col">Whole</th>
            <th scope="col">The first draw's repair</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ model, repairs }) => (
            <tr key={model.id}>
              <th scope="row">{model.name}</th>
              <td>{repairs ? share(repairs.mended, repairs.corrupted) : "…"}</td>
              <td>{repairs ? share(repairs.spoilt, repairs.sound) : "…"}</td>
              <td>{repairs ? `${repairs.whole} of ${repairs.draws}` : "…"}</td>
              <td class="repair">
                {repairs?.first.map(({ text, isRight }, index) =>
                  isRight ? text : <mark key={index}>{text.trim() === "" ? "␣" : text}</mark>,
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="about">
        Mended: of the corrupted tokens, those that come out as in the sentence. Spoilt: of the others, those
        that do not. Whole: draws that come out as the sentence. What is marked is not as in the sentence.
      </p>
    </section>
  );
}

function share(some: number, all: number): string {
  return all === 0 ? "none were" : `${some} of ${all}, ${percent(some / all)}`;
}
