import type { Example } from "lad";

/** Questions of different lengths; with windows of 48 bytes the last one does not fit. */
export const EXAMPLES: readonly Example[] = [
  ...Array.from({ length: 9 }, (_, i) => ({
    instruction: `Say ${"abc".repeat(1 + (i % 3))}.`,
    output: `${i} ${"xyz".slice(i % 3)}${"-".repeat(i)}`,
  })),
  {
    messages: [
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Ho" },
      { role: "user", content: "Count" },
      { role: "assistant", content: "1 2 3" },
    ],
  },
  { instruction: "Be long.", output: "word ".repeat(20) },
];
