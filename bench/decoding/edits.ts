/** What an adapter makes of answers that are there in part: a hidden word filled in, two swapped words put right. */
import type { Adapter, AnswerPiece, Base, Policy, Question } from "../../sdk/src/index.js";
import { gap } from "../../sdk/src/index.js";
import { type Asked, isRight } from "./answers.js";

/** The middle word of each reference answer hidden, the words around it pinned. */
export interface InfillingRow {
  readonly policy: Policy;
  readonly questions: number;
  /** Answers that are the reference again. */
  readonly exact: number;
  /** Answers in which every pinned token is what it was. */
  readonly pinsUntouched: number;
}

/** Two words of each reference answer swapped; beside it the reference itself as the draft. */
export interface RepairingRow {
  readonly policy: Policy;
  /** Questions in whose answer two different words can be swapped. */
  readonly questions: number;
  /** Swapped answers that became the reference again. */
  readonly repaired: number;
  /** References that did not stay as they were. */
  readonly spoiled: number;
}

export async function infillingRow(
  base: Base,
  adapter: Adapter,
  policy: Policy,
  { questions, attention }: Asked,
): Promise<InfillingRow> {
  const hidden = await Promise.all(questions.map((question) => withHiddenWord(base, question)));
  const canvases = hidden.map(({ ids, pieces }) => ({ ids, answer: pieces }));
  const answers = await adapter.sampleMany({ canvases, policy, attention, frames: false }).result();
  return {
    policy,
    questions: questions.length,
    exact: answers.filter(({ text }, i) => isRight(text, questions[i]?.reference)).length,
    pinsUntouched: answers.filter(({ canvasIds }, i) =>
      hidden[i]?.pinned.every((id, position) => id === undefined || canvasIds[position] === id),
    ).length,
  };
}

export async function repairingRow(
  base: Base,
  adapter: Adapter,
  policy: Policy,
  { questions, attention }: Asked,
): Promise<RepairingRow> {
  const pairs = questions.flatMap((question, i) => {
    const right = question.reference.trim();
    const wrong = swapped(right.split(" "), i).join(" ");
    return wrong === right ? [] : [{ ids: question.ids, right, wrong }];
  });
  const right = await asDrafts(base, pairs, ({ right }) => right);
  const wrong = await asDrafts(base, pairs, ({ wrong }) => wrong);
  const rightAfter = async (canvases: typeof right) => {
    const answers = await adapter.sampleMany({ canvases, policy, attention, frames: false }).result();
    return answers.filter(({ text }, i) => isRight(text, pairs[i]?.right)).length;
  };
  return {
    policy,
    questions: pairs.length,
    repaired: await rightAfter(wrong),
    spoiled: pairs.length - (await rightAfter(right)),
  };
}

/** Each text with the stop token behind it, as the draft of its question's answer. */
function asDrafts<Pair extends { readonly ids: readonly number[] }>(
  base: Base,
  pairs: readonly Pair[],
  textOf: (pair: Pair) => string,
) {
  return Promise.all(
    pairs.map(async (pair) => ({
      ids: pair.ids,
      draft: [...(await base.encode(textOf(pair))), base.eosTokenId],
    })),
  );
}

/** The reference in pieces around a gap as long as its middle word, and the ids that stay, by position. */
async function withHiddenWord(base: Base, { ids, reference }: Question) {
  const words = reference.trim().split(" ");
  const middle = Math.floor(words.length / 2);
  const before = words.slice(0, middle).join(" ");
  const after = words.slice(middle + 1).map((word) => ` ${word}`);
  const tokens = await base.encode(`${middle > 0 ? " " : ""}${words[middle]}`);
  const pinned: (number | undefined)[] = [
    ...(before === "" ? [] : await base.encode(before)),
    ...Array<undefined>(tokens.length),
    ...(after.length === 0 ? [] : await base.encode(after.join(""))),
  ];
  const pieces: AnswerPiece[] = [before, gap(tokens.length), after.join("")].filter((piece) => piece !== "");
  return { ids, pieces, pinned };
}

/** Two of the words in each other's place, a pure function of `number`. */
function swapped(words: readonly string[], number: number): string[] {
  const draws = lehmer(number);
  const a = draws() % words.length;
  const b = (a + 1 + (draws() % Math.max(1, words.length - 1))) % words.length;
  return words.map((word, i) => (i === a ? words[b] : i === b ? words[a] : word) ?? word);
}

/** Whole numbers of a multiplicative congruential generator (Park and Miller, doi 10.1145/63039.63042), the first one skipped. */
function lehmer(seed: number): () => number {
  let state = (seed % (2 ** 31 - 2)) + 1;
  const next = () => {
    state = (state * 48271) % (2 ** 31 - 1);
    return state;
  };
  next();
  return next;
}
