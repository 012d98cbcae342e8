/** Translates between the protocol's messages and this package's types, with one file for each .proto file. */
export type * from "./results.js";
export * from "./wire/bigints.js";
export * from "./wire/data.js";
export * from "./wire/enums.js";
export { fromErrorDetail, toErrorDetail } from "./wire/errors.js";
export * from "./wire/evaluation.js";
export * from "./wire/health.js";
export * from "./wire/inspection.js";
export * from "./wire/methods.js";
export * as pb from "./wire/protocol.js";
export * from "./wire/runs.js";
export * from "./wire/sampling.js";
export * from "./wire/services.js";
export * from "./wire/specification.js";
export * from "./wire/tensors.js";
export * from "./wire/training.js";
export * from "./wire/worker.js";
