/** What the model itself writes of a step's answers, by its weights before the step's first gradient: as a run on the worker has it. */
import { batches } from "../grpc/batches.js";
import type { Draw } from "../method/data-order.js";
import type { Noise, NoisedExample } from "../method/noise.js";
import { drafted, draftingOf, draftSeed } from "../method/noises/draft.js";
import { type PreparedExample, pastTokensOf } from "../method/prepared-example.js";
import type { DenoisingAttention } from "../options/attention.js";
import type { PredictOptions } from "../options/primitives.js";
import type { Prediction } from "../wire.js";

/** What a draft is made with. */
export interface Drafter {
  /** Computes one forward over canvases. */
  predict(options: PredictOptions): Promise<Prediction[]>;
}

/** A step of a run. */
export interface Moment {
  /** From 0. */
  readonly step: number;
  /** Of the run. */
  readonly steps: number;
}

/** The examples of one step, with what they were noised to. */
export interface NoisedStep {
  readonly noise: Noise;
  readonly seed: bigint;
  readonly attention: DenoisingAttention;
  /** Which step of the run it is, from 0, of how many. */
  readonly moment: Moment;
  readonly batch: readonly Draw[];
  readonly clean: readonly PreparedExample[];
  readonly noised: readonly NoisedExample[];
}

/** The most bytes of a token in a request and its reply: its id, the sampled one, and three numbers of it. */
const TOKEN_BYTES = 5 + 5 + 3 * 4;

/** What is shown of each example: its draft, if its noise asks for one. */
export async function withDrafts(model: Drafter, step: NoisedStep): Promise<NoisedExample[]> {
  const { noise, attention, clean, noised, moment } = step;
  const shown = [...noised];
  const drafting = draftingOf(noise);
  if (drafting === undefined || moment.step < drafting.after * moment.steps) return shown;
  for (const part of batches(canvasesOf(step), ({ canvas }) => TOKEN_BYTES * canvas.ids.length)) {
    const canvases = part.map(({ canvas }) => canvas);
    const predictions = await model.predict({ canvases, temperature: drafting.temperature, attention });
    for (const [i, { number }] of part.entries()) {
      const [example, before] = [clean[number] as PreparedExample, noised[number] as NoisedExample];
      shown[number] = drafted(example, before, noise, (predictions[i] as Prediction).ids);
    }
  }
  return shown;
}

/** What the model is to draft, by the example's number in the step. */
function canvasesOf({ noise, seed, batch, clean, noised }: NoisedStep) {
  return clean.flatMap((example, number) => {
    const drawn = draftSeed(example, noise, { seed, epoch: batch[number]?.epoch ?? 0 });
    if (drawn === undefined) return [];
    const answerStart = pastTokensOf(example);
    return [{ number, canvas: { ids: noised[number]?.ids ?? [], answerStart, seed: drawn } }];
  });
}
