/** The files of a folder, as a local server gives them out: to GET and HEAD, of a folder its `index.html`, links in it followed. */
import { serveStatic } from "@hono/node-server/serve-static";
import type { MiddlewareHandler } from "hono";

/** Serves what is in a folder by its path; what is not there is the next handler's. */
export function filesOf(folder: string): MiddlewareHandler {
  return serveStatic({ root: folder });
}
