import { METHODS } from "../gen/lad/v1/methods.js";
import type { Method } from "../transport.js";

type Named = Pick<Method<never, never>, "path">;

/** Whether repeating a call changes nothing more, so that it may be sent again if it is not known to have arrived. */
export function isIdempotent({ path }: Named): boolean {
  return METHODS[path]?.idempotent ?? false;
}

/** Whether the worker's server answers the method itself, at once, whatever the device computes. */
export function isAnsweredAtOnce({ path }: Named): boolean {
  return METHODS[path]?.atOnce ?? false;
}
