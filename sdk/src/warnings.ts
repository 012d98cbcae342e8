/** Where warnings go unless `Runtime.start({ onWarning })` says otherwise: a Node warning, on standard error by default. */
export function emitWarning(message: string): void {
  process.emitWarning(message, { type: "LadWarning", code: "LAD_IGNORED" });
}
