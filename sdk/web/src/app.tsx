/** The page: who answers, and a tab for each demo. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { About } from "../../src/demo/messages.js";
import { announced } from "./core/announce.js";
import { call, fragment, isStale, pasteToken, takeToken } from "./core/api.js";
import { Denoise } from "./denoise/denoise.js";
import { NoiseLab } from "./noise/noise-lab.js";
import { Tabs } from "./parts/tabs.js";
import { ThemeButton } from "./parts/theme.js";
import { Training } from "./training/training.js";

const TABS = ["Denoise", "Noise lab", "Training"] as const;

export function App() {
  const about = useSignal<About | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  const hasToken = useSignal(useMemo(takeToken, []));
  const problemOfToken = useSignal<string | undefined>(undefined);
  const tab = useSignal<(typeof TABS)[number]>(fragment().has("noise") ? "Noise lab" : "Denoise");
  useEffect(() => {
    if (!hasToken.value) return;
    call<About>("about").then(
      (told) => {
        about.value = told;
        problem.value = undefined;
      },
      (error: Error) => {
        if (isStale(error)) {
          problemOfToken.value = error.message;
          hasToken.value = false;
        } else problem.value = error.message;
      },
    );
  }, [hasToken.value]);
  const relist = async () => {
    const models = await call<About["models"]>("models");
    if (about.value) about.value = { ...about.value, models };
  };
  const told = about.value;
  return (
    <>
      <header class="top">
        <h1>
          lad <span>demo</span>
        </h1>
        {told && (
          <p class="who">
            {told.baseName} on {told.device}
          </p>
        )}
        <ThemeButton />
      </header>
      {!hasToken.value && (
        <AskForToken problem={problemOfToken.value} onGiven={() => (hasToken.value = true)} />
      )}
      {problem.value !== undefined && told === undefined && (
        <main>
          <p class="problem" role="alert">
            {problem.value}
          </p>
        </main>
      )}
      {told && (
        <main>
          <Tabs
            names={TABS}
            chosen={tab.value}
            onChoose={(name) => {
              tab.value = name;
              if (name !== "Training") void relist().catch(() => undefined); // a run has got further meanwhile
            }}
          />
          {/* A demo that is left keeps what it has: it is hidden, not taken away. */}
          {TABS.map((name) => (
            <div
              key={name}
              id={`panel-${TABS.indexOf(name)}`}
              role="tabpanel"
              aria-labelledby={`tab-${TABS.indexOf(name)}`}
              hidden={tab.value !== name}
            >
              {name === "Denoise" && <Denoise about={told} />}
              {name === "Noise lab" && <NoiseLab about={told} />}
              {name === "Training" && (
                <Training about={told} isShown={tab.value === name} onTrained={relist} />
              )}
            </div>
          ))}
        </main>
      )}
      <p class="unseen" role="status" aria-live="polite">
        {announced}
      </p>
    </>
  );
}

/** A link to a session holds no token: whoever opens it in a new tab has one from `lad demo`. */
function AskForToken({ problem, onGiven }: { problem: string | undefined; onGiven: () => void }) {
  const isWrong = useSignal(false);
  return (
    <main>
      <form
        class="card ask-token"
        onSubmit={(event) => {
          event.preventDefault();
          const address = String(new FormData(event.currentTarget).get("address"));
          isWrong.value = !pasteToken(address);
          if (!isWrong.value) onGiven();
        }}
      >
        {problem !== undefined && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <label for="address">
          {problem === undefined && "This tab has no token. "}Paste the address that <code>lad demo</code> has
          printed:
        </label>
        <input id="address" name="address" autocomplete="off" spellcheck={false} required />
        <button type="submit" class="primary">
          Open
        </button>
        {isWrong.value && (
          <p class="problem" role="alert">
            That address has no token. It looks like http://127.0.0.1:…/#token=….
          </p>
        )}
      </form>
    </main>
  );
}
