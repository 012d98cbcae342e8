/** What options are called in requests. */

const FIELDS: Readonly<Record<string, string>> = {
  answerTokens: "max_tokens",
  topP: "top_p",
  topK: "top_k",
  answer: "pins",
};

/** A text of this package for the reader of a request: with the names that its fields have there. An answer is also a word of sentences. */
export function asFields(text: string): string {
  return text.replace(/\b(answerTokens|topP|topK)\b|^answer(?= is |$)/g, (name) => FIELDS[name] ?? name);
}
