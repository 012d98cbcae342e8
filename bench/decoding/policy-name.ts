import type { Policy } from "../../sdk/src/index.js";

/** A policy with the settings that tell it from others in a table. */
export function nameOf(policy: Policy): string {
  if (!("iterations" in policy)) return policy.kind;
  const isLinear = "schedule" in policy && policy.schedule === "linear";
  return `${policy.kind} ${policy.iterations}${isLinear ? ", linear" : ""}`;
}
