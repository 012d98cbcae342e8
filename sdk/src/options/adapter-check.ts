/** What `adapter.check` takes, and the prompts that it asks where none are given. */
import { check } from "../checks/check.js";
import { integer, list, without } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { type DenoisingAttention, denoisingAttention } from "./attention.js";
import { type CallOptions, callShape } from "./call.js";
import { checkPrompt, type PromptOptions, promptFields } from "./sampling.js";

/** Options of `adapter.check`. */
export interface AdapterCheckOptions extends CallOptions {
  /** What the adapter is asked, at least one prompt. Default: three short neutral questions. */
  prompts?: readonly Omit<PromptOptions, "seed">[] | undefined;
  /** Masked answer positions that are compared behind each prompt: an integer from 1 to 64. Default: 8. */
  answerTokens?: number | undefined;
  /** How the prompt attends, of adapter and base alike. Default: as the adapter was trained, else `full`. */
  attention?: DenoisingAttention | undefined;
}

/** Questions of no field, for a base of any training. */
export const NEUTRAL_PROMPTS: readonly string[] = [
  "What is the capital of France?",
  "Say hello in one short sentence.",
  "How much is two plus three?",
];

const prompts = list(without(promptFields, "seed"), "a list of prompts, at least one");

export const adapterCheckFields = fieldsOf<AdapterCheckOptions>()({
  prompts: prompts.optional(),
  answerTokens: integer(1, 64).default(8),
  attention: denoisingAttention.optional(),
  ...callShape,
});

export type CheckedAdapterCheck = ReturnType<typeof checkAdapterCheck>;

/** @throws LadError `invalid-option` */
export function checkAdapterCheck(options: AdapterCheckOptions) {
  const given = check(adapterCheckFields, options);
  for (const [index, prompt] of (given.prompts ?? []).entries()) checkPrompt(prompt, `prompts[${index}].`);
  return given;
}
