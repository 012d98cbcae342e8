/** The noise figure: type a sentence, choose a noise, and see what training would show the model. */
import { computed, defineComponent, h, reactive, type VNode } from "vue";
import {
  corrupted,
  type Frequency,
  frequencies,
  type Levels,
  NOISE_NAMES,
  type NoiseName,
  noiseNamed,
  type ShownToken,
} from "./draw.js";

const SENTENCE = "The capital of Peru is Lima. The capital of Kenya is Nairobi.";
const MOST_CHARACTERS = 200;
const DRAWS = 300;
const LEVELS: readonly (keyof Levels)[] = ["masked", "swapped", "duplicated", "shifted"];

interface State {
  sentence: string;
  noise: NoiseName;
  seed: number;
  epoch: number;
  levels: Record<keyof Levels, number>;
}

export const NoiseFigure = defineComponent({
  name: "NoiseFigure",
  setup() {
    const state: State = reactive({
      sentence: SENTENCE,
      noise: "lad",
      seed: 1,
      epoch: 0,
      levels: { masked: 0.3, swapped: 0.1, duplicated: 0.1, shifted: 0 },
    });
    const noise = computed(() => noiseNamed(state.noise, { ...state.levels }));
    const tokens = computed(() =>
      corrupted(state.sentence, noise.value, { seed: BigInt(state.seed), epoch: state.epoch }),
    );
    const often = computed(() => frequencies(state.sentence, noise.value, BigInt(state.seed), DRAWS));
    return () =>
      h("figure", { class: "noise-figure", "aria-label": "Training noise, drawn as the worker draws it" }, [
        controls(state),
        h("ol", { class: "tokens", "aria-label": `Epoch ${state.epoch}` }, tokens.value.map(tokenNode)),
        h("p", { class: "summary", role: "status" }, summary(tokens.value, state.epoch)),
        bars(often.value),
        h("figcaption", CAPTION),
      ]);
  },
});

const CAPTION =
  `Above, what the model is shown in one epoch; below, how often each position is MASK or wrong over the first ${DRAWS} epochs. ` +
  "The numbers are those that a run with this seed draws for example 0, computed in this page by the SDK's own code. Only the " +
  "tokens are simpler: words with the space before them, and single signs.";

function controls(state: State): VNode {
  const onText = (event: Event) => {
    state.sentence = (event.target as HTMLInputElement).value;
  };
  const onNoise = (event: Event) => {
    state.noise = NOISE_NAMES.find((name) => name === (event.target as HTMLSelectElement).value) ?? "lad";
  };
  const onSeed = (event: Event) => {
    const seed = Math.floor(Number((event.target as HTMLInputElement).value));
    if (seed >= 0 && Number.isSafeInteger(seed)) state.seed = seed;
  };
  return h("div", { class: "controls" }, [
    h("label", { class: "wide" }, [
      "Sentence",
      h("input", { type: "text", value: state.sentence, maxlength: MOST_CHARACTERS, onInput: onText }),
    ]),
    h("label", [
      "Noise",
      h(
        "select",
        { value: state.noise, onChange: onNoise },
        NOISE_NAMES.map((name) => h("option", { value: name }, name)),
      ),
    ]),
    h("label", ["Seed", h("input", { type: "number", min: 0, step: 1, value: state.seed, onInput: onSeed })]),
    h(
      "button",
      { type: "button", disabled: state.epoch === 0, onClick: () => state.epoch-- },
      "Epoch before",
    ),
    h("button", { type: "button", onClick: () => state.epoch++ }, "Next epoch"),
    ...(state.noise === "fixed" ? LEVELS.map((level) => slider(state, level)) : []),
  ]);
}

function slider({ levels }: State, level: keyof Levels): VNode {
  const onInput = (event: Event) => {
    levels[level] = Number((event.target as HTMLInputElement).value);
  };
  const range = { type: "range", min: 0, max: 1, step: 0.05, value: levels[level], onInput };
  return h("label", [`${level} ${levels[level].toFixed(2)}`, h("input", range)]);
}

function tokenNode({ text, state, tail }: ShownToken): VNode {
  return h("li", { class: ["token", state, { tail }], title: state === "clean" ? undefined : state }, [
    text.trim() || "␣",
    state === "clean" ? undefined : h("span", { class: "visually-hidden" }, ` (${state})`),
  ]);
}

function summary(tokens: readonly ShownToken[], epoch: number): string {
  const count = (wanted: ShownToken["state"]) => tokens.filter(({ state }) => state === wanted).length;
  return `Epoch ${epoch}: ${count("masked")} of ${tokens.length} positions are MASK, ${count("wrong")} are wrong.`;
}

/** Two bars a position, one upon the other. */
function bars(often: readonly Frequency[]): VNode {
  const mean = (kind: keyof Frequency) =>
    often.reduce((sum, each) => sum + each[kind], 0) / (often.length || 1);
  const [masked, wrong] = [mean("masked"), mean("wrong")].map((share) => `${Math.round(share * 100)} %`);
  const label = `Over ${DRAWS} epochs a position is MASK in ${masked} of them and wrong in ${wrong}, on average`;
  return h("div", { class: "bars", role: "img", "aria-label": label }, [
    ...often.map(({ masked, wrong }) =>
      h("span", { class: "bar" }, [
        h("span", { class: "wrong", style: { height: `${wrong * 100}%` } }),
        h("span", { class: "masked", style: { height: `${masked * 100}%` } }),
      ]),
    ),
  ]);
}
