/** The protocol's messages and enumerations, by the .proto file that declares them. */
export * as adapters from "../gen/lad/v1/adapters.js";
export * as data from "../gen/lad/v1/data.js";
export * as evaluation from "../gen/lad/v1/evaluation.js";
export * as runs from "../gen/lad/v1/runs.js";
export * as sampling from "../gen/lad/v1/sampling.js";
export * as training from "../gen/lad/v1/training.js";
export * as worker from "../gen/lad/v1/worker.js";
