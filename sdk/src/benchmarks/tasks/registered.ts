/** All benchmarks: a builder each. */
export { arcChallenge } from "./arc-challenge.js";
export { arcEasy } from "./arc-easy.js";
export { gsm8k } from "./gsm8k.js";
export { hellaswag } from "./hellaswag.js";
export { mmlu } from "./mmlu.js";
export { type MultipleChoiceOptions, multipleChoice } from "./multiple-choice.js";
export { type ShortAnswerOptions, shortAnswer } from "./short-answer.js";
