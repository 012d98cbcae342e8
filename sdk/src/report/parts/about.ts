/** What a report says of itself: what it is of, and how to make it again. */

/** One data set of a report. */
export interface ReportData {
  /** What it is for, such as `training`. */
  readonly name: string;
  /** Where it is from, such as a file's name. Default: not told. */
  readonly source?: string | undefined;
  /** The SHA-256 of its content. Default: not told. */
  readonly sha256?: string | undefined;
  /** How many examples it has. Default: not told. */
  readonly examples?: number | undefined;
}

/** What a report is of, and everything that is needed to make it again. */
export interface ReportOptions {
  /** Its title. */
  readonly title: string;
  /** What it shows, in a sentence or two. Default: nothing. */
  readonly about?: string | undefined;
  /** The command that makes it again. Default: not told. */
  readonly command?: string | undefined;
  /** The exact configuration, as plain data. Default: not told. */
  readonly configuration?: unknown;
  /** Versions of what computed, by name. Default: not told. */
  readonly versions?: Readonly<Record<string, string | number>> | undefined;
  /** Seeds by what they are for. Default: not told. */
  readonly seeds?: Readonly<Record<string, string | number | bigint>> | undefined;
  /** The data sets. Default: not told. */
  readonly data?: readonly ReportData[] | undefined;
  /** When it was made. A report with a date has other bytes tomorrow. Default: not told. */
  readonly date?: string | undefined;
}
