/** The option `policy` (docs/method.md §6). */
import { z } from "zod";
import { fields } from "../checks/fields.js";
import { ownersOfOption } from "../method/policies/policy.js";
import { policies } from "../method/policies/registered.js";
import {
  POLICY_KINDS,
  type Policy,
  type PolicyKind,
  type PolicyOptions,
  policyDefinition,
} from "../method/policy.js";

const NAMES = POLICY_KINDS.join(", ");
const BUILDERS = Object.values(policies).map((build) => `${build.name}()`);

/** A policy, made with `remask()`, `refine()`, …, or the name of one. */
export type PolicyInput = PolicyKind | PolicyOptions;

const policyObject: z.ZodType<Policy, PolicyOptions> = z.discriminatedUnion("kind", objects(), {
  error: `an object whose kind is one of ${NAMES}`,
});

export const policySchema = z.union(
  [
    z.enum(POLICY_KINDS, { error: `one of ${NAMES}` }).transform((kind): Policy => policies[kind]()),
    policyObject,
  ],
  { error: `one of ${NAMES}, or ${BUILDERS.join(", ")}` },
);

/** The remedy for an option that stands beside the policy but belongs to it. */
export function misplacedBesidePolicy(key: string, value: unknown): string | undefined {
  if (key === "mode") return `Did you mean policy: ${JSON.stringify(value) ?? "…"}?`;
  return ownersOfOption(key, value);
}

/** The schemas of all policies' options, with their kinds. */
function objects() {
  const all = POLICY_KINDS.map((kind) =>
    fields({ kind: z.literal(kind), ...policyDefinition(kind).options.shape }, ownersOfOption),
  );
  return all as unknown as [
    z.ZodObject<{ kind: z.ZodLiteral<PolicyKind> }> & z.ZodType<Policy, PolicyOptions>,
  ];
}
