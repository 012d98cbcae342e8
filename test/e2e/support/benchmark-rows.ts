/** Rows of our own making, in the schemas that the hub has. */

export const ARC_ROWS = Array.from({ length: 37 }, (_, i) => ({
  id: `row-${i}`,
  question: `Which of these is number ${i}${i % 5 === 0 ? ", counted from the very first one of them all" : ""}?`,
  choices: {
    text: ["a", "bé", "a long one", `d${i}`].slice(0, 3 + (i % 2)),
    label:
      i % 3 === 0 ? ["1", "2", "3", "4"].slice(0, 3 + (i % 2)) : ["A", "B", "C", "D"].slice(0, 3 + (i % 2)),
  },
  answerKey: i % 3 === 0 ? String(1 + (i % 3)) : "ABC"[i % 3],
}));

export const GSM_ROWS = Array.from({ length: 9 }, (_, i) => ({
  question: `Ann has ${i} pears and eats ${i % 2}. How many are left?`,
  answer: `${i} - ${i % 2} = ${i - (i % 2)}\n#### ${i - (i % 2)}`,
}));
