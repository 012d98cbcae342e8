export type { LossReport } from "../method/loss-report.js";
