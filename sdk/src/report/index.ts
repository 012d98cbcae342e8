/** What a run looks like in a terminal: `import … from "lad/report"`. Text in, text out; only `LiveBlock` writes. */
export { type Cell, type DenoisingFrame, denoisingLines, visible } from "./denoising.js";
export {
  drawDenoising,
  drawTraining,
  type FrameLike,
  frameCells,
  frameTokens,
  type StepLike,
  type TokenTexts,
  type TrainingEventLike,
} from "./follow.js";
export {
  type InspectionLike,
  inspectionText,
  type LengthsLike,
  type PartLike,
  type SegmentLike,
} from "./inspection.js";
export { type MixtureReportLike, mixtureText } from "./mixture.js";
export { bytes, duration, number, percent } from "./numbers.js";
export { bar, type Progress, progressLine } from "./progress.js";
export { type AnswerFigures, type RankRow, rankTable } from "./rank-table.js";
export { type Point, type ScatterOptions, scatter } from "./scatter.js";
export { type Column, renderTable } from "./table.js";
export { LiveBlock, type LiveBlockOptions, type Output } from "./terminal.js";
