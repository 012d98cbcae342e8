import type { Client } from "../client.js";
import type { WindowReport } from "../wire.js";

/** Warns of special tokens in a data set's messages that were taken as text: once, however often the data set is prepared. */
export function warnOfSpecialTokens(client: Client, report: WindowReport, allowSpecial: boolean): void {
  const { specialTokens, kept } = report;
  if (allowSpecial || specialTokens === 0) return;
  const which = specialTokens === 1 ? "1 special token" : `${specialTokens} special tokens`;
  client.warnOnce(
    `The messages of ${kept} examples write out ${which}, taken as text. ` +
      "Give allowSpecial: true where they are meant to be special tokens.",
  );
}
