/** A local HTTP server's socket: opened, and closed without cutting off who is being answered. */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { invalidOption, LadError } from "../errors.js";

/** Where a server listens. */
export interface ListenOptions {
  /** A name or address of this machine. Default: 127.0.0.1, which other machines cannot reach. */
  readonly host?: string | undefined;
  /** An integer from 0 to 65,535; 0 is any that is free. Default: 0. */
  readonly port?: number | undefined;
}

/** A server that listens. */
export interface Listening extends AsyncDisposable {
  /** Such as `http://127.0.0.1:8421`, for clients on this machine. */
  readonly url: string;
  readonly host: string;
  /** The port, also where any free one was asked for. */
  readonly port: number;
  /**
   * Takes no new connections, lets requests that are being answered finish for `graceMs`, and then cuts them off, which aborts their signals.
   * Default: 2,000 ms.
   */
  close(graceMs?: number): Promise<void>;
}

/** After how long without a byte a peer is asked whether it is there. */
const DEAD_PEER_MS = 60_000;

/** The address that servers listen on unless told otherwise. */
export const LOOPBACK = "127.0.0.1";

/**
 * Serves an application. A request's signal (`context.req.raw.signal`) is aborted when its client goes away.
 *
 * @throws LadError `port-in-use`, or `invalid-option` for a host or port that cannot be listened on
 */
export async function listen(
  app: Pick<Hono, "fetch">,
  { host = LOOPBACK, port = 0 }: ListenOptions = {},
): Promise<Listening> {
  const fetch = (request: Request, bindings: object) => app.fetch(request, bindings);
  const answer = getRequestListener(fetch, { overrideGlobalObjects: false });
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: DEAD_PEER_MS }, answer);
  server.on("connection", leaveTogether);
  server.on("request", ({ socket }, response) => {
    const open = responsesOf.get(socket);
    open?.add(response);
    response.once("close", () => open?.delete(response));
  });
  try {
    server.listen({ host, port });
    await once(server, "listening");
  } catch (error) {
    throw unopened(error as NodeJS.ErrnoException, host, port);
  }
  const { port: opened } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = (graceMs = 2000) => (closing ??= closed(server, graceMs));
  return {
    url: `http://${reachable(host)}:${opened}`,
    host,
    port: opened,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/** The responses of each connection that have not ended; of requests that were sent ahead, several. */
const responsesOf = new WeakMap<Socket, Set<ServerResponse>>();

/** When a connection closes, so do all of its responses: Node closes the first alone, and the others would wait for ever. */
function leaveTogether(socket: Socket): void {
  const open = new Set<ServerResponse>();
  responsesOf.set(socket, open);
  const leave = () => {
    for (const response of open) {
      response.destroy();
      response.emit("close");
    }
  };
  socket.once("close", () => setImmediate(leave)); // when the first has closed by itself
}

function closed(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** The host as a URL names it; for all addresses, this machine's own. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return LOOPBACK;
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function unopened(cause: NodeJS.ErrnoException, host: string, port: number): unknown {
  switch (cause.code) {
    case "EADDRINUSE":
      return new LadError("port-in-use", `Another program listens on port ${port} of ${host}.`, {
        option: "port",
        value: port,
        remedy: "Give another port, or 0 for any that is free.",
        cause,
      });
    case "EACCES":
    case "ERR_SOCKET_BAD_PORT":
      return invalidOption("port", port, "this user cannot listen on it", "Give one from 1,024 to 65,535.");
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return invalidOption(
        "host",
        host,
        "it is no address of this machine",
        "Give 127.0.0.1, or 0.0.0.0 for all its addresses.",
      );
    default:
      return cause;
  }
}
