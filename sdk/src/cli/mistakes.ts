/** Mistakes in a command's words: a mistyped name is answered with the nearest one, and any mistake can be told as JSON. */
import type { Command, CommanderError } from "commander";
import { nearest } from "../checks/nearest.js";
import { LadError } from "../errors.js";

/** Has a command that does one of its commands by default refuse the names of others, which that one would take for arguments. */
export function refuseUnknown(command: Command): void {
  command.hook("preSubcommand", ({ args: [word] }) => {
    const names = command.commands.map((inner) => inner.name());
    if (word === undefined || word.startsWith("-") || names.includes(word)) return;
    const near = nearest(word, names);
    const hint = near === undefined ? `There are ${names.join(", ")}.` : `Did you mean ${near}?`;
    command.error(`error: unknown command '${word}'\n(${hint})`, { code: "commander.unknownCommand" });
  });
}

/** What commander has refused, as the error that it is on standard error with `--json`. */
export function usageError({ message }: CommanderError): LadError {
  const [told = "", hint = ""] = message.replace(/^error: /, "").split("\n");
  const [, option] = /(?:option|argument) '[^']*?(--[a-z0-9-]+)/.exec(told) ?? [];
  const [, value] = /argument '(.*)' is invalid/.exec(told) ?? [];
  return new LadError("invalid-option", `${told}${/[.?]$/.test(told) ? "" : "."}`, {
    option,
    value,
    remedy: hint.replace(/^\((.*)\)$/, "$1"),
  });
}
