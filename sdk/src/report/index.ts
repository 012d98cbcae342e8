/**
 * What runs look like in a terminal, and reports as files: `import … from "lad/report"`. Text in, text out; only `LiveBlock` and
 * `Report` write.
 */
export { type Cell, type DenoisingFrame, denoisingLines, visible } from "./denoising.js";
export {
  drawDenoising,
  drawTraining,
  type FrameLike,
  frameCells,
  frameTexts,
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
export type { ReportData, ReportOptions } from "./parts/about.js";
export {
  type Chart,
  type ChartAxis,
  type ChartPoint,
  type ChartSeries,
  type FrontierChart,
  type FrontierPart,
  type FrontierPoint,
  frontierChart,
  type LineChart,
  type LinesAxis,
  type LinesPart,
  lineChart,
} from "./parts/chart.js";
export type { Figure, FigureForm, MeasuredFigure, ReportValue } from "./parts/figure.js";
export type { ReportSection } from "./parts/section.js";
export type { ReportColumn, ReportTable } from "./parts/table.js";
export { type Trace, type TraceFrame, type TraceSource, traceOf } from "./parts/trace.js";
export type { Verdict } from "./parts/verdict.js";
export { bar, type Progress, progressLine } from "./progress.js";
export { type AnswerFigures, type RankRow, rankTable } from "./rank-table.js";
export { Report, type WrittenReport } from "./report.js";
export { type Point, type ScatterOptions, scatter } from "./scatter.js";
export { type Column, renderTable } from "./table.js";
export { LiveBlock, type LiveBlockOptions, type Output } from "./terminal.js";
