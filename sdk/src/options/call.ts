import { abortSignal, timeLimit } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";

/** What every call to the worker takes. */
export interface CallOptions {
  /** Ends the call with the error `cancelled`. Default: none. */
  signal?: AbortSignal | undefined;
  /**
   * Ends the call, and whatever else the method asks of the worker, with the error `timeout` after so many milliseconds: an integer
   * from 0 to 2,147,483,647, or Infinity. 0 and Infinity: never. Default: 30,000 for what is answered at once; whatever waits for the
   * device, the disk or other requests goes on for as long as the worker lives, and fails when it has not answered anything for 50 s.
   */
  timeoutMs?: number | undefined;
}

export const callShape = {
  signal: abortSignal().optional(),
  timeoutMs: timeLimit().optional(),
};
export const callOptions = fieldsOf<CallOptions>()(callShape);
