/** The page's files, as a build has made them. */
import type { Hono } from "hono";
import { filesOf } from "../http/files.js";

/** Nothing but the page's own files and its own server: no inline script, no frame around it, no other address. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Serves the files of a folder. They hold nothing that is anybody's, and need no token. */
export function servePage(app: Hono, folder: string): void {
  app.get("/*", async (context, next) => {
    const isNamedByContent = context.req.path.startsWith("/assets/");
    context.header("content-security-policy", POLICY);
    context.header("referrer-policy", "no-referrer");
    context.header("cache-control", isNamedByContent ? "max-age=31536000, immutable" : "no-cache");
    await next();
  });
  app.get("/*", filesOf(folder));
}
