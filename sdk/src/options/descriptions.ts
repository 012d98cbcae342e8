/** What the policies and noises say of themselves, as data, for forms and help texts. */
import { z } from "zod";
import { MAX_FLOAT32, MAX_UINT32 } from "../checks/fields.js";
import { isLadError } from "../errors.js";
import * as meanings from "../gen/meanings.js";
import { NOISE_KINDS, type NoiseKind, noiseDefinition } from "../method/noise.js";
import { POLICY_KINDS, type PolicyKind, policyDefinition } from "../method/policy.js";
import { policySchema } from "./sampling/policy.js";

/** One option of a policy or noise. */
export interface OptionDescription {
  /** As programs write it, such as `noiseStart`. */
  readonly name: string;
  /** Meaning, unit, range and default, in a sentence or two. */
  readonly about: string;
  /** What its values are; `choice`: one of `choices`; `other`: no single value. */
  readonly type: "integer" | "number" | "boolean" | "choice" | "other";
  /** The values of a choice. Default: none. */
  readonly choices?: readonly string[] | undefined;
  /** The least value. Default: none. */
  readonly min?: number | undefined;
  /** Whether the least value itself is too small. */
  readonly isAboveMin: boolean;
  /** The greatest value. Default: none but what the protocol can hold. */
  readonly max?: number | undefined;
  /** What it is where it is left out. */
  readonly default: unknown;
}

/** A kind of noise. */
export interface NoiseDescription {
  /** Its name. */
  readonly kind: NoiseKind;
  /** A sentence. */
  readonly about: string;
  /** In the order of its schema. */
  readonly options: readonly OptionDescription[];
}

/** A sampling policy. */
export interface PolicyDescription {
  /** Its name. */
  readonly kind: PolicyKind;
  /** A sentence. */
  readonly about: string;
  /** In the order of its schema. */
  readonly options: readonly OptionDescription[];
  /** Whether it denoises, so that its frames have a state to go on from; else it writes from left to right. */
  readonly denoises: boolean;
  /** Whether a token that stands may still change. */
  readonly changesVisible: boolean;
  /** Whether `strength` says where in its iterations a draft begins. */
  readonly isScheduled: boolean;
  /** Whether an adapter can be sampled with it. */
  readonly samplesAdapters: boolean;
  /** Whether a base without an adapter can be. */
  readonly samplesBases: boolean;
}

/** Every sampling policy, in the order in which they are listed. */
export function describePolicies(): readonly PolicyDescription[] {
  return POLICY_KINDS.map((kind) => {
    const { denoising, options } = policyDefinition(kind);
    return {
      kind,
      ...described(meanings.policies[kind], options),
      denoises: denoising !== undefined,
      changesVisible: denoising !== undefined && (denoising.changesVisible ?? true),
      isScheduled: denoising?.isScheduled ?? false,
      samplesAdapters: isUsable(kind, true),
      samplesBases: isUsable(kind, false),
    };
  });
}

/** Every noise, in the order in which they are listed. */
export function describeNoises(): readonly NoiseDescription[] {
  return NOISE_KINDS.map((kind) => ({
    kind,
    ...described(meanings.noises[kind], noiseDefinition(kind).options),
  }));
}

function described({ about, options }: meanings.Meaning = { about: "", options: {} }, schema: z.ZodObject) {
  const all = Object.entries(schema.shape).map(([name, value]) =>
    optionOf(name, options[name] ?? "", value as z.ZodType),
  );
  return { about, options: all };
}

/** What a schema takes, in the terms of JSON Schema. */
interface Taken {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

function optionOf(name: string, about: string, schema: z.ZodType): OptionDescription {
  const taken = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Taken;
  return {
    name,
    about,
    type: typeOf(taken),
    choices: taken.enum,
    min: taken.minimum ?? taken.exclusiveMinimum,
    isAboveMin: taken.minimum === undefined && taken.exclusiveMinimum !== undefined,
    max: limitOf(taken.maximum),
    default: taken.default,
  };
}

function limitOf(maximum: number | undefined): number | undefined {
  return maximum === MAX_UINT32 || maximum === MAX_FLOAT32 ? undefined : maximum;
}

function typeOf({ type, enum: choices }: Taken): OptionDescription["type"] {
  if (choices !== undefined) return "choice";
  return type === "integer" || type === "number" || type === "boolean" ? type : "other";
}

function isUsable(kind: PolicyKind, adapted: boolean): boolean {
  const use = { adapted, answerTokens: undefined, canvasTokens: undefined, attention: undefined };
  try {
    policyDefinition(kind).check?.(policySchema.parse(kind), use);
    return true;
  } catch (error) {
    if (isLadError(error)) return false;
    throw error;
  }
}
