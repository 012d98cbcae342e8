/** The time that the steps of several trainings have taken. */
export class StepClock {
  readonly #seconds = new Map<string, number>();

  /** The seconds that a training has taken, this step included. */
  after(training: string, seconds: number): number {
    const sum = (this.#seconds.get(training) ?? 0) + seconds;
    this.#seconds.set(training, sum);
    return sum;
  }
}
