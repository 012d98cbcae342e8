import type { Client } from "../client.js";
import type { CheckedPredict } from "../options/primitive-checks.js";
import type { SamplingTarget } from "../runs/sampling.js";
import { fromPrediction, numberOf, type Prediction, pb, SamplingService, toDraw } from "../wire.js";

/** One forward over canvases. */
export async function predictCanvases(
  client: Client,
  target: SamplingTarget,
  given: Omit<CheckedPredict, "timeoutMs">,
): Promise<Prediction[]> {
  const request = {
    ...target,
    canvases: given.canvases.map((canvas) => ({ ...canvas, ids: Array.from(canvas.ids) })),
    spec: {
      draw: toDraw(given),
      iteration: given.iteration,
      top: given.top,
      logits: given.logits,
      mode: numberOf(pb.training.AttentionMode, given.attention),
      guidanceScale: given.guidanceScale,
    },
  };
  const reply = await client.call(SamplingService.predict, request, { signal: given.signal });
  return reply.predictions.map(fromPrediction);
}
