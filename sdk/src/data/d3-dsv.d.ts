/** What is used of d3-dsv, which comes without types. */
declare module "d3-dsv" {
  /** Reads and writes values that are separated by a character. */
  export function dsvFormat(separator: string): { parseRows(text: string): string[][] };
}
