import { check } from "../../checks/check.js";
import { integer, seed } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";

/** How a bootstrap is drawn. */
export interface BootstrapOptions {
  /** Keys the resamples: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
  /** How many resamples: an integer from 40 to 1,000,000. Default: 1,000. */
  resamples?: number | undefined;
}

export const bootstrapFields = fieldsOf<BootstrapOptions>()({
  seed: seed().default(0n),
  resamples: integer(40, 1_000_000).default(1000),
});

/** @throws LadError `invalid-option` */
export function checkBootstrap(options: BootstrapOptions) {
  return check(bootstrapFields, options);
}
