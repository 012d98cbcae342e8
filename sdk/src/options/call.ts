import { abortSignal, timeLimit } from "../checks/fields.js";

/** What every method takes that calls the worker. */
export const callShape = {
  /** Ends the call with the error `cancelled`. */
  signal: abortSignal().optional(),
  /**
   * Ends the call, and whatever else the method asks of the worker, with the error `timeout` after so many milliseconds. 0 and
   * Infinity: never. Default: 30,000 for what is answered at once; whatever waits for the device, the disk or other requests goes on
   * for as long as the worker lives, and fails when it has not answered anything for 50 s.
   */
  timeoutMs: timeLimit().optional(),
};
