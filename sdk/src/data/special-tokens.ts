import type { Client } from "../client.js";
import type { WindowReport } from "../wire.js";

/** Warns, once for a data set, that its messages contain special tokens that were encoded as plain text. */
export function warnOfSpecialTokens(client: Client, report: WindowReport, allowSpecial: boolean): void {
  const { specialTokens, kept } = report;
  if (allowSpecial || specialTokens === 0) return;
  const which = specialTokens === 1 ? "1 special token" : `${specialTokens} special tokens`;
  client.warnOnce(
    `The messages of ${kept} examples write out ${which}, taken as text. ` +
      "Give allowSpecial: true where they are meant to be special tokens.",
  );
}
