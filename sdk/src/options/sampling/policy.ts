/** The option `policy` (docs/method.md §6). */
import { kindSchema } from "../../checks/kind-schema.js";
import { misplacedInPolicy, ownersOfOption } from "../../method/policies/policy.js";
import { policies } from "../../method/policies/registered.js";
import { type Policy, type PolicyKind, type PolicyOptions, policyDefinition } from "../../method/policy.js";

/** A policy, made with `remask()`, `refine()`, …, or the name of one. */
export type PolicyInput = PolicyKind | PolicyOptions;

export const policySchema = kindSchema<PolicyKind, Policy, PolicyOptions>(
  policies,
  (kind) => policyDefinition(kind).options,
  { misplaced: misplacedInPolicy },
);

/** The remedy for an option that stands beside the policy but belongs to it. */
export function misplacedBesidePolicy(key: string, value: unknown): string | undefined {
  if (key === "mode") return `Did you mean policy: ${JSON.stringify(value) ?? "…"}?`;
  return ownersOfOption(key, value);
}
