/** What this user types for `lad`. */
import { locateRuntime } from "../setup/locate.js";

/**
 * `npm run lad --` in a checkout, `npx lad` where npx or a script of npm has started it, else `lad`, which a shell has found.
 */
export function invocation(
  variables: NodeJS.ProcessEnv = process.env,
  { isCheckout } = locateRuntime(),
): string {
  if (isCheckout) return "npm run lad --";
  return variables.npm_command === undefined ? "lad" : "npx lad";
}

/** A text whose commands in backticks, such as `lad train`, are as this user types them. */
export function typable(text: string, lad = invocation()): string {
  return text.replace(/`(?:npx )?lad (?=[a-z])/g, () => `\`${lad} `);
}
