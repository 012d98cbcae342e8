/** The token that a local server asks of every call. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { Refusal } from "./refusal.js";

/** A token that cannot be guessed: 256 bits. */
export function makeToken(): string {
  return randomBytes(32).toString("hex");
}

/**
 * Lets a request through that brings the token, as `Authorization: Bearer …` or as `x-api-key`, which Anthropic's clients send.
 *
 * @throws Refusal 401 for any other
 */
export function requireToken(token: string): MiddlewareHandler {
  return async (context, next) => {
    const given = bearer(context) ?? context.req.header("x-api-key");
    if (given === undefined) {
      throw new Refusal(
        401,
        "unauthenticated",
        "This call has no token. Send it as Authorization: Bearer <token>, or as x-api-key.",
      );
    }
    if (!isSame(given, token)) {
      throw new Refusal(
        401,
        "unauthenticated",
        "The token of this call is not this server's. The command that started it shows the right one.",
      );
    }
    await next();
  };
}

function bearer(context: Context): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(context.req.header("authorization") ?? "")?.[1];
}

/** Takes the same time whatever the two have in common: their digests are of one length. */
function isSame(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
