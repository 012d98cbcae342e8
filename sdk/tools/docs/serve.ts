/** Serves a built site to this machine alone. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".jsonl": "application/jsonl",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

/** Where a site is served, and its server. */
export interface Served {
  /** `http://127.0.0.1:` and the port. */
  readonly address: string;
  readonly server: Server;
}

/** Serves the files of `folder` at a free port of the loopback interface. */
export async function serveSite(folder: string): Promise<Served> {
  const server = createServer(async ({ url = "/" }, response) => {
    const path = await fileAt(folder, url);
    if (path === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" });
    createReadStream(path).pipe(response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, server };
}

/** The file that an address names, of a folder its index; undefined where there is none in the site. */
async function fileAt(folder: string, url: string): Promise<string | undefined> {
  try {
    const path = join(folder, normalize(decodeURIComponent(new URL(url, "http://site").pathname)));
    const found = await stat(path);
    return found.isDirectory()
      ? await fileAt(folder, `${url.replace(/\/?([?#].*)?$/, "")}/index.html`)
      : path;
  } catch {
    return undefined;
  }
}
