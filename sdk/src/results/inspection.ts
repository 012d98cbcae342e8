/** What a training run would see of a data set. */
export interface Inspection {
  /** What becomes of all examples. */
  readonly whole: InspectedPart;
  /** What becomes of each source's, by name; empty where no example names its source. */
  readonly sources: readonly InspectedPart[];
  /** Prompt and answer together, of all examples, before anything is cut or left out. */
  readonly windowLengths: Lengths;
  /** Prompts, likewise: what stands before the last answer. */
  readonly promptLengths: Lengths;
  /** Last answers, likewise, each with the token that ends it. */
  readonly answerLengths: Lengths;
  /** What the noise and the loss make of some of them. */
  readonly noise: InspectedNoise;
  /** Examples as the first epoch shows them. */
  readonly shown: readonly InspectedExample[];
  /** What each answer ends with, and its tail is made of. */
  readonly endToken: string;
  /** The same as an id. */
  readonly endTokenId: number;
}

/** What becomes of the examples of a source, or of all. */
export interface InspectedPart {
  /** The source's name; empty for the whole, and for examples that name none. */
  readonly name: string;
  /** Examples in the data set. */
  readonly examples: number;
  /** Examples that become windows, truncated ones included. */
  readonly kept: number;
  /** Examples that are left out. */
  readonly dropped: number;
  /** Examples that are cut. */
  readonly truncated: number;
  /** Why examples are dropped or truncated: they are longer than the window. */
  readonly longerThanWindow: number;
  /** Why the others are: they are no longer than the window, and their prompts exceed `maxPromptTokens`. */
  readonly promptTooLong: number;
  /** Tokens of prompts, over all windows. */
  readonly promptTokens: number;
  /** Tokens of answers, the one that ends each included, the tail not. */
  readonly answerTokens: number;
  /** Tokens of padding behind the answers. */
  readonly tailTokens: number;
  /** Special tokens that messages of the windows write out. */
  readonly specialTokens: number;
  /** Mask tokens in the answers' own text, where the mask is ordinary text. */
  readonly maskTokens: number;
}

/** Lengths of examples, in tokens. A quantile is the least length that so many of the examples do not exceed. */
export interface Lengths {
  /** Their mean. */
  readonly mean: number;
  /** The shortest. */
  readonly least: number;
  /** 5 in 100 are no longer. */
  readonly p5: number;
  /** 25 in 100 are no longer. */
  readonly p25: number;
  /** Half of them are no longer. */
  readonly median: number;
  /** 75 in 100 are no longer. */
  readonly p75: number;
  /** 95 in 100 are no longer. */
  readonly p95: number;
  /** 99 in 100 are no longer. */
  readonly p99: number;
  /** The longest. */
  readonly most: number;
  /** The histogram's step: bin i counts lengths from i · binTokens + 1 to (i + 1) · binTokens. */
  readonly binTokens: number;
  /** Examples in each bin, at most 20. */
  readonly bins: readonly number[];
}

/** What noise and loss make of examples in the first epoch of a run with the same seed: sums over those that were noised. */
export interface InspectedNoise {
  /** Examples that were noised. */
  readonly examples: number;
  /** Tokens that the noise may change. */
  readonly openTokens: number;
  /** Tokens that it changed. */
  readonly corruptedTokens: number;
  /** Tokens that it masked. */
  readonly maskedTokens: number;
  /** Examples of which it changed nothing. */
  readonly untouched: number;
  /** Tokens of prompts that the loss counts. */
  readonly supervisedPromptTokens: number;
  /** Tokens of answers, their ends included, that the loss counts. */
  readonly supervisedAnswerTokens: number;
  /** Tokens of tails that the loss counts. */
  readonly supervisedTailTokens: number;
  /** Examples whose last answer has its end in the window. */
  readonly ends: number;
  /** Those in which the loss counts that end: what teaches a model where to stop, besides the tail. */
  readonly supervisedEnds: number;
}

/** An example as training shows it. */
export interface InspectedExample {
  /** Its row in the data set, from 0. */
  readonly row: number;
  /** The name of its source; empty if it has none. */
  readonly source: string;
  /** Its window in pieces, in order. */
  readonly segments: readonly ShownSegment[];
}

/** Consecutive tokens of one part of a window that are shown alike. */
export interface ShownSegment {
  /** Where they stand. */
  readonly part: "prompt" | "answer" | "tail";
  /** As they are, hidden, or as other tokens. */
  readonly shown: "clean" | "masked" | "changed";
  /** Whether the loss counts them. */
  readonly supervised: boolean;
  /** How many they are. */
  readonly tokens: number;
  /** Their text. */
  readonly text: string;
  /** The text that the model is shown in its place. */
  readonly shownText: string;
}
