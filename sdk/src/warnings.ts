/** The default handler of warnings, unless `Runtime.start({ onWarning })` sets another: emits a Node warning. */
export function emitWarning(message: string): void {
  process.emitWarning(message, { type: "LadWarning", code: "LAD_IGNORED" });
}
