import * as pb from "../gen/lad/v1/training.js";
import type { InspectedExample, Inspection, Lengths } from "../results/inspection.js";
import { counted } from "./bigints.js";
import { wordOf } from "./enums.js";
import { present } from "./worker.js";

export function fromInspection(reply: pb.InspectDatasetResponse): Inspection {
  return {
    whole: counted(present(reply.whole, "InspectDatasetResponse.whole")),
    sources: reply.sources.map(counted),
    windowLengths: fromLengths(reply.windowLengths),
    promptLengths: fromLengths(reply.promptLengths),
    answerLengths: fromLengths(reply.answerLengths),
    noise: counted(present(reply.noise, "InspectDatasetResponse.noise")),
    shown: reply.shown.map(fromExample),
    endToken: reply.endToken,
    endTokenId: reply.endTokenId,
  };
}

function fromLengths(lengths: pb.Lengths | undefined): Lengths {
  const { bins, ...figures } = present(lengths, "InspectDatasetResponse's lengths");
  return { ...figures, bins: bins.map(Number) };
}

function fromExample({ segments, ...example }: pb.InspectedExample): InspectedExample {
  return {
    ...counted(example),
    segments: segments.map((segment) => ({
      ...segment,
      part: wordOf(pb.WindowPart, segment.part),
      shown: wordOf(pb.ShownAs, segment.shown),
    })),
  };
}
