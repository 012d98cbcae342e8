/** The page's files, as a build has made them. */
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import type { Hono } from "hono";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

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
    const path = context.req.path === "/" ? "/index.html" : normalize(context.req.path);
    const type = TYPES[extname(path)];
    if (type === undefined || path.includes("..")) return next();
    const bytes = await readFile(join(folder, path)).catch(() => undefined);
    if (bytes === undefined) return next();
    context.header("content-security-policy", POLICY);
    context.header("referrer-policy", "no-referrer");
    context.header("content-type", type);
    context.header("cache-control", path.startsWith("/assets/") ? "max-age=31536000, immutable" : "no-cache");
    return context.body(new Uint8Array(bytes));
  });
}
