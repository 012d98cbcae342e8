import { checkFolder } from "../data/folders/write-folder.js";
import type { CheckedTraining, SaveOptions } from "../options.js";

/** What can be written to a folder. */
interface Saved {
  save(folder: string, options: SaveOptions): Promise<void>;
}

/** Writes a trained adapter where `train({ save })` says. */
export class Saving {
  readonly #adapter: Saved;
  readonly #options: Pick<CheckedTraining, "save" | "signal">;
  #written: Promise<void> | undefined;

  constructor(adapter: Saved, options: Pick<CheckedTraining, "save" | "signal">) {
    this.#adapter = adapter;
    this.#options = options;
  }

  /**
   * Checks the folder before a step is spent.
   *
   * @throws LadError as `adapter.save`
   */
  async check(): Promise<void> {
    const { save } = this.#options;
    if (save !== undefined) await checkFolder(save.folder, save);
  }

  /** Writes the adapter, once. */
  write(): Promise<void> {
    const { save, signal } = this.#options;
    if (save === undefined) return Promise.resolve();
    this.#written ??= this.#adapter.save(save.folder, { overwrite: save.overwrite, signal });
    return this.#written;
  }
}
