/** The chats of clients, which may give a message's text in parts. */
import { invalidOption } from "../../errors.js";
import type { ChatMessage } from "../../index.js";

const ROLES: Readonly<Record<string, ChatMessage["role"]>> = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
};

/**
 * A chat as this package takes it.
 *
 * @param field - the name of the list, for errors
 * @throws LadError `invalid-option` for a role or a part that is not text
 */
export function chatOf(messages: readonly unknown[], field = "messages"): ChatMessage[] {
  return messages.map((message, index) => {
    const path = `${field}[${index}]`;
    const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
    const known = typeof role === "string" && Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
    if (known === undefined) {
      throw invalidOption(
        `${path}.role`,
        role,
        "there is no such role here",
        `Give one of ${Object.keys(ROLES).join(", ")}.`,
      );
    }
    return { role: known, content: textOf(content, `${path}.content`) };
  });
}

/**
 * The text of a message, in one piece or in parts of type `text`, `input_text` or `output_text`.
 *
 * @throws LadError `invalid-option` for a part that is not text
 */
export function textOf(content: unknown, path: string): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) {
    throw invalidOption(path, content ?? null, "it must be text, or a list of parts", "Give a string.");
  }
  return content.map((part: unknown, index) => partText(part, `${path}[${index}]`)).join("");
}

function partText(part: unknown, path: string): string {
  const { type, text } = (part ?? {}) as { type?: unknown; text?: unknown };
  const isText = type === "text" || type === "input_text" || type === "output_text";
  if (isText && typeof text === "string") return text;
  throw invalidOption(`${path}.type`, type, "a Llama reads text alone", "Give parts of type text.");
}
