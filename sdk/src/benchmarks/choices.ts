/** Choices with letters, as the data that adapters are trained on has them: `A: the text`. */

/** The letter of a choice: A is the first. */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + index);
}

/** Each choice behind its letter. */
export function lettered(choices: readonly string[]): string[] {
  return choices.map((text, index) => `${letterOf(index)}: ${text}`);
}

/** A question and its choices, each on a line of its own. */
export function askedWithChoices(question: string, choices: readonly string[]): string {
  return [question, ...lettered(choices)].join("\n");
}

/**
 * Which of the choices an answer names: by its letter at the beginning (`B: …`, `(B)`, `B.`, `B`), by the sentence "the answer is B", or
 * by its whole text. Undefined where it names none.
 */
export function chosenIn(answer: string, choices: readonly string[]): number | undefined {
  const text = answer.trim();
  const whole = choices.findIndex((choice) => plain(choice) === plain(text));
  if (whole >= 0) return whole;
  const letter = AT_START.exec(text)?.[1] ?? IN_SENTENCE.exec(text)?.[1];
  const index = letter === undefined ? -1 : letter.charCodeAt(0) - 65;
  return index >= 0 && index < choices.length ? index : undefined;
}

/** A letter alone at the beginning: "A plant" begins with an article. */
const AT_START = /^\(?([A-Z])(?:[:.)]|\s*$|\s*\n)/;
const IN_SENTENCE = /\banswer\s*(?:is|:)\s*\(?([A-Z])\b(?!\s+[a-z])/;

/** What two answers are compared by: without case, outer white space and a full stop. */
export function plain(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ").replace(/\.$/, "").toLowerCase();
}
