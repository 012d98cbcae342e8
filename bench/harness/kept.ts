/** Finished parts of a long measurement, kept in a file: a call that was ended is gone on with by the next one. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

export class Kept {
  /** Where the parts are. */
  readonly file: string;
  readonly #facts: object;
  readonly #parts: Record<string, unknown>;

  private constructor(file: string, facts: object, parts: Record<string, unknown>) {
    this.file = file;
    this.#facts = facts;
    this.#parts = parts;
  }

  /**
   * Of the measurement that these facts tell from others.
   *
   * @param facts - plain data, whose digest names the file beside `name`
   */
  static async open(folder: string, name: string, facts: object): Promise<Kept> {
    const digest = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16);
    const file = join(folder, `${name}-${digest}.json`);
    await mkdir(folder, { recursive: true });
    const kept = existsSync(file) ? JSON.parse(await readFile(file, "utf8")) : { parts: {} };
    return new Kept(file, facts, kept.parts);
  }

  /** A part by its name: as it was kept, or made now and kept from now on. What is made must be plain data. */
  async part<Part>(name: string, make: () => Promise<Part>): Promise<Part> {
    if (Object.hasOwn(this.#parts, name)) return this.#parts[name] as Part;
    const made = await make();
    this.#parts[name] = made;
    await this.#write();
    return made;
  }

  /** The file is whole at every moment. */
  async #write(): Promise<void> {
    const unfinished = `${this.file}.part`;
    await writeFile(unfinished, JSON.stringify({ facts: this.#facts, parts: this.#parts }, undefined, 1));
    await rename(unfinished, this.file);
  }
}
