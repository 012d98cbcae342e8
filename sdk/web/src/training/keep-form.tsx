/** Keeps what a run has trained among the user's adapters. */
import { useSignal } from "@preact/signals";
import { announce } from "../core/announce.js";
import { call } from "../core/api.js";

export function KeepForm({ runId, onKept }: { runId: string; onKept: () => Promise<void> }) {
  const kept = useSignal<string | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  const keep = async (name: string) => {
    try {
      await call(`runs/${runId}/keep`, { name });
      kept.value = name;
      problem.value = undefined;
      announce(`The adapter is kept as ${name}.`);
      await onKept();
    } catch (error) {
      problem.value = (error as Error).message;
    }
  };
  return (
    <>
      <form
        class="bar"
        aria-label="Keep the adapter"
        onSubmit={(event) => {
          event.preventDefault();
          void keep(String(new FormData(event.currentTarget).get("name")));
        }}
      >
        <label class="field">
          <span>Keep it as</span>
          <input
            name="name"
            required
            autocomplete="off"
            spellcheck={false}
            pattern="[A-Za-z0-9][A-Za-z0-9._\-]{0,63}"
            title="1 to 64 letters, digits, dots, underscores or hyphens, the first a letter or digit"
          />
        </label>
        <button type="submit">Keep</button>
      </form>
      {kept.value !== undefined && (
        <p class="about">
          Kept as it was at that moment: <code>lad chat --adapter {kept.value}</code> talks to it.
        </p>
      )}
      {problem.value !== undefined && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </>
  );
}
