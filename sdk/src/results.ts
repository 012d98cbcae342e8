/** The worker's replies as this package's own types. Every type in these files is public. */
export type * from "./results/data.js";
export type * from "./results/evaluation.js";
export type * from "./results/inspection.js";
export type * from "./results/runs.js";
export type * from "./results/sampling.js";
export type * from "./results/training.js";
export type * from "./results/worker.js";
