/** Serves a built site to this machine alone. */
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { type Listening, listen } from "../../src/http/listen.js";

/** Serves the files of `folder` at a free port of the loopback interface. */
export function serveSite(folder: string): Promise<Listening> {
  return listen(new Hono().use(serveStatic({ root: folder })));
}
