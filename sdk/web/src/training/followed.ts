/** A run that is followed: its CE in training and validation, and a sample of it every so many steps. */
import { signal } from "@preact/signals";
import type { RunLine, SampleLine, SampleRequest, ShownRun } from "../../../src/demo/messages.js";
import { stream } from "../core/api.js";
import type { Point } from "./curve.js";

/** What a run answered when so many steps were taken. */
export interface Sample {
  readonly step: number;
  readonly text: string;
}

/** What is sampled, and how often. */
export interface Sampling {
  readonly question: string;
  readonly everySteps: number;
}

/** The curve of training is a running mean over about so many steps. */
const SMOOTHING = 10;
const POLICY: SampleRequest["policy"] = { kind: "remask", iterations: 16 };

export class Followed {
  readonly run: ShownRun;
  readonly training = signal<readonly Point[]>([]);
  readonly validation = signal<readonly Point[]>([]);
  readonly samples = signal<readonly Sample[]>([]);
  readonly tokensPerSecond = signal(0);
  readonly state = signal("");
  readonly problem = signal<string | undefined>(undefined);
  readonly #stop = new AbortController();
  #mean: number | undefined;
  #isSampling = false;

  constructor(run: ShownRun) {
    this.run = run;
    this.state.value = run.state;
  }

  /** Reads the run's events to its last, and samples it as it goes on. */
  async follow(sampling: () => Sampling): Promise<void> {
    const points: Point[] = [];
    try {
      for await (const line of stream<RunLine>(`runs/${this.run.id}/events`, undefined, this.#stop.signal)) {
        if (line.type === "step") {
          const now = line.report.corruptedCe ?? line.report.ce;
          this.#mean = this.#mean === undefined ? now : this.#mean + (now - this.#mean) / SMOOTHING;
          points.push({ step: line.step, value: this.#mean });
          const isLive = line.step > this.run.steps;
          if (!isLive && line.step < this.run.steps) continue; // what is long past is drawn at once
          this.training.value = [...points];
          this.tokensPerSecond.value = line.tokensPerSecond;
          const { everySteps } = sampling();
          if (isLive && line.step % everySteps === 0) void this.#sample(line.step, sampling());
        } else if (line.type === "validation") {
          const value = line.report.corruptedCe ?? line.report.ce;
          this.validation.value = [...this.validation.value, { step: line.step, value }];
        } else if (line.type === "started") this.state.value = "running";
        else if (line.type !== "checkpoint") this.state.value = line.type;
      }
      this.training.value = [...points];
      if (this.state.value === "finished") await this.#sample(points.at(-1)?.step ?? 0, sampling());
    } catch (error) {
      if (!this.#stop.signal.aborted) this.problem.value = (error as Error).message;
    }
  }

  leave(): void {
    this.#stop.abort();
  }

  /** One at a time: a sample that would come late is left out. */
  async #sample(step: number, { question }: Sampling): Promise<void> {
    if (this.run.model === undefined || this.#isSampling) return;
    if (this.samples.value.some((sample) => sample.step === step)) return;
    this.#isSampling = true;
    const request: SampleRequest = { model: this.run.model, question, policy: POLICY, seed: 1 };
    try {
      for await (const line of stream<SampleLine>("sample", request, this.#stop.signal)) {
        if (line.type === "answer") this.samples.value = [{ step, text: line.text }, ...this.samples.value];
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.problem.value = (error as Error).message;
    } finally {
      this.#isSampling = false;
    }
  }
}
