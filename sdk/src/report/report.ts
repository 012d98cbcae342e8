/** Reports as files. */
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LadError } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import type { ReportOptions } from "./parts/about.js";
import { ReportSection } from "./parts/section.js";

/** The files of a report. */
export interface WrittenReport {
  /** The path of `index.html`: one file, which needs no other and no network. */
  readonly html: string;
  /** The path of `results.jsonl`: every figure of tables, charts and verdicts, a line each. */
  readonly results: string;
  /** The path of the same as Markdown. */
  readonly markdown: string;
}

/**
 * A report: sections of text, tables, charts, verdicts and traces, which are written as one folder. The same content gives the same
 * bytes.
 */
export class Report {
  /** What it is of, and how to make it again. */
  readonly options: ReportOptions;
  /** In the order in which they were added. */
  readonly sections: readonly ReportSection[];
  readonly #sections: ReportSection[] = [];

  constructor(options: ReportOptions) {
    this.options = options;
    this.sections = this.#sections;
  }

  /** Adds a section, to which parts are added. */
  section(title: string): ReportSection {
    const section = new ReportSection(title);
    this.#sections.push(section);
    return section;
  }

  /**
   * Writes the page, the figures and the Markdown into a folder, which is made if there is none.
   *
   * @throws LadError `storage` for a folder that cannot be written
   */
  async write(folder: string): Promise<WrittenReport> {
    const [{ pageOf }, { resultLines }, { markdownOf }] = await Promise.all([
      import("./page/page.js"),
      import("./results.js"),
      import("./markdown.js"),
    ]);
    const files = {
      html: { path: join(folder, "index.html"), text: await pageOf(this) },
      results: { path: join(folder, "results.jsonl"), text: resultLines(this) },
      markdown: { path: join(folder, "report.md"), text: markdownOf(this) },
    };
    try {
      makeFolder(folder);
      for (const { path, text } of Object.values(files)) await replaceFile(path, text);
    } catch (cause) {
      throw unwritable(folder, cause);
    }
    return { html: files.html.path, results: files.results.path, markdown: files.markdown.path };
  }
}

/** A reader sees the old file or the new one. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

function unwritable(folder: string, cause: unknown): LadError {
  return new LadError("storage", `report is ${folder}: it could not be written.`, {
    option: "report",
    value: folder,
    remedy: "Give a folder that can be written, and check the free space.",
    cause,
  });
}
