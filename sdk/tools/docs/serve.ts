/** Serves a built site to this machine alone. */
import { Hono } from "hono";
import { filesOf } from "../../src/http/files.js";
import { type Listening, listen } from "../../src/http/listen.js";

/** Serves the files of `folder` at a free port of the loopback interface. */
export function serveSite(folder: string): Promise<Listening> {
  return listen(new Hono().use(filesOf(folder)));
}
