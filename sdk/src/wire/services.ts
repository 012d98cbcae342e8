/** The worker's services, with each method's path and the encoding of its messages. */
export { AdaptersServiceService as AdaptersService } from "../gen/lad/v1/adapters.js";
export { DataServiceService as DataService } from "../gen/lad/v1/data.js";
export { EvaluationServiceService as EvaluationService } from "../gen/lad/v1/evaluation.js";
export { RunsServiceService as RunsService } from "../gen/lad/v1/runs.js";
export { SamplingServiceService as SamplingService } from "../gen/lad/v1/sampling.js";
export { TrainingServiceService as TrainingService } from "../gen/lad/v1/training.js";
export { WorkerServiceService as WorkerService } from "../gen/lad/v1/worker.js";
