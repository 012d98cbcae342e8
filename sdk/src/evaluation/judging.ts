/** How likely a causal model finds answers, given their prompts. */
import type { Client } from "../client.js";
import { decodeSequences, encodeTexts, type PromptSource, promptIds } from "../data/text.js";
import type { Judge } from "../options/evaluation.js";
import type { Answer, BaseInfo } from "../wire.js";
import type { TokenScores } from "./measures/measure.js";
import { scoredTokens } from "./measures/perplexity.js";
import { CAUSAL, type ScoredSequence, scoreItems } from "./scoring.js";

/** A question as it was given, and its prompt as token ids of the model that answered. */
export interface AskedQuestion {
  readonly given: PromptSource;
  readonly ids: readonly number[];
}

/** Of each answer's tokens under the causal base that answered; undefined for an answer without a token before its end. */
export function judgedByBase(
  client: Client,
  base: BaseInfo,
  questions: readonly AskedQuestion[],
  answers: readonly Answer[],
  signal: AbortSignal | undefined,
): Promise<(TokenScores | undefined)[]> {
  const sequences = answers.map(({ canvasIds }, i) => {
    const continuation = scoredTokens(canvasIds, base.stopTokenIds);
    return continuation && { prompt: questions[i]?.ids ?? [], continuation };
  });
  return scored(client, base.id, sequences, signal);
}

/**
 * The same under another base, which may have another tokenizer: it reads the texts. A chat goes through its own template; a prompt of
 * token ids is read as their text. An answer that ended is followed by the judge's own end.
 */
export async function judgedByOther(
  client: Client,
  base: BaseInfo,
  { info: judge }: Judge,
  questions: readonly AskedQuestion[],
  answers: readonly Answer[],
  signal: AbortSignal | undefined,
): Promise<(TokenScores | undefined)[]> {
  const sequences = questions.map(({ ids }) => ids);
  const texts = await decodeSequences(client, base.id, sequences, true, signal);
  const encoded = await encodeTexts(client, judge.id, texts, { allowSpecial: true, signal });
  const prompts = await Promise.all(
    questions.map(({ given }, i) =>
      given.ids === undefined ? promptIds(client, judge.id, given, signal) : (encoded[i] ?? []),
    ),
  );
  const written = answers.map(({ text }) => text);
  const tokens = await encodeTexts(client, judge.id, written, { allowSpecial: false, signal });
  const asked = answers.map(({ ids, canvasIds }, i) => {
    if (ids.length === 0) return undefined;
    const end = ids.length < canvasIds.length ? [judge.eosTokenId] : [];
    return { prompt: prompts[i] ?? [], continuation: [...(tokens[i] ?? []), ...end] };
  });
  return scored(client, judge.id, asked, signal);
}

async function scored(
  client: Client,
  baseId: string,
  sequences: readonly (ScoredSequence | undefined)[],
  signal: AbortSignal | undefined,
): Promise<(TokenScores | undefined)[]> {
  const items = sequences.filter((each) => each !== undefined);
  const scores = await scoreItems(client, { baseId, adapterId: "" }, items, CAUSAL, signal);
  return sequences.map((each) => (each === undefined ? undefined : scores.shift()));
}
