/** What lines of a chat that begin with a slash do. */
import { guessOf } from "../../checks/nearest.js";
import { LadError } from "../../index.js";

/** A line of the help. */
export interface SlashCommand {
  readonly name: string;
  readonly usage: string;
  readonly about: string;
}

/** In the order of the help. */
export const SLASH_COMMANDS: readonly SlashCommand[] = [
  {
    name: "/policy",
    usage: "/policy <policy>",
    about: "how answers are sampled, such as threshold:iterations=16",
  },
  { name: "/iterations", usage: "/iterations <n>", about: "the most iterations" },
  { name: "/adapter", usage: "/adapter <name>", about: "who answers; none: the base" },
  {
    name: "/edit",
    usage: "/edit <pieces>",
    about: "make the last answer of what stays, [6] to fill and {drafts}",
  },
  { name: "/example", usage: "/example", about: "ask a question that the small bases know" },
  { name: "/again", usage: "/again", about: "another answer to the last question, with the next seed" },
  { name: "/seed", usage: "/seed <n>", about: "of the draws" },
  { name: "/system", usage: "/system <text>", about: "a system message; none: without one" },
  {
    name: "/history",
    usage: "/history on|off",
    about: "whether questions are asked with what was said before",
  },
  { name: "/reset", usage: "/reset", about: "forget what was said" },
  { name: "/help", usage: "/help", about: "these" },
  { name: "/quit", usage: "/quit", about: "leave" },
];

/** The error of a line that begins with no such word. */
export function unknownSlash(name: string): LadError {
  const names = SLASH_COMMANDS.map((command) => command.name);
  const remedy = `${guessOf(name, names)}/help tells what there is.`;
  return new LadError("invalid-option", `There is no ${name}.`, { remedy });
}
