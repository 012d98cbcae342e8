import { METHODS } from "../gen/lad/v1/methods.js";
import type { Method } from "../transport.js";

type Named = Pick<Method<never, never>, "path">;

/** Whether the same call again changes nothing more, so that one that is not known to have arrived may be sent again. */
export function isIdempotent({ path }: Named): boolean {
  return METHODS[path]?.idempotent ?? false;
}

/** Whether the method is answered from what the worker's server knows, whatever is being computed. */
export function isAnsweredAtOnce({ path }: Named): boolean {
  return METHODS[path]?.atOnce ?? false;
}
