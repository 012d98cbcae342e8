/** The fields that OpenAI's APIs have in common. */
import { z } from "zod";
import { atLeast, filledText, flag, integer, list, number } from "../../checks/fields.js";
import { extraShape } from "../asking/extras.js";

const stop = z.union(
  [filledText().transform((text) => [text]), list(filledText(), "a list of strings", 16)],
  {
    error: "a string, or a list of at most 16",
  },
);

/** In every body. */
export const commonShape = {
  model: filledText("a model's name"),
  stream: flag().default(false),
  temperature: atLeast(0).optional(),
  top_p: number(0, 1).optional(),
  seed: integer(0, Number.MAX_SAFE_INTEGER).optional(),
  ...extraShape,
};

/** In the bodies of those that answer several times, and end at texts. */
export const choicesShape = {
  n: integer(1, 128).default(1),
  stop: stop.optional(),
  max_tokens: integer(1).optional(),
  stream_options: z.looseObject({ include_usage: flag().default(false) }, { error: "an object" }).optional(),
};

/** They say who asks, what is kept, or how fast: nothing about the answer. */
export const IGNORED = [
  "user",
  "store",
  "metadata",
  "service_tier",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "parallel_tool_calls",
  "reasoning_effort",
  "reasoning",
  "verbosity",
];

const TOOLS = "Leave it out: these models call no tools.";
const PENALTY = "Leave it out, or give temperature.";

/** They would change the answer. */
export const REFUSED = {
  tools: TOOLS,
  tool_choice: TOOLS,
  functions: TOOLS,
  function_call: TOOLS,
  logit_bias: "Leave it out: pins hold what must stand in the answer.",
  frequency_penalty: PENALTY,
  presence_penalty: PENALTY,
  audio: "Leave it out: these models read and write text.",
  web_search_options: TOOLS,
  prediction: "Give its text as draft, which a policy that denoises begins from.",
  echo: "Leave it out: the prompt is known to you.",
  suffix: 'Give pins: [{ "gap": 8 }, "the suffix"].',
};
