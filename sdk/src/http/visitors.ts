/** Who may speak to a local server: not the pages of strangers that the user's browser has open. */
import { isIP } from "node:net";
import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { invalidOption } from "../errors.js";
import { Refusal } from "./refusal.js";

/**
 * Lets a request through whose Host names this server: a loopback name, or what `host` listens on. A page whose name resolves to this machine
 * (DNS rebinding) has another Host, the page's. Where the server listens on all addresses, any address is its own, but no other name.
 *
 * @throws Refusal 403 for any other
 */
export function requireOwnHost(host: string): MiddlewareHandler {
  const own = new Set(["localhost", "127.0.0.1", "::1", bare(host).toLowerCase()]);
  const listensEverywhere = isEverywhere(host);
  return async (context, next) => {
    const named = hostOf(context);
    const isOwn = named !== undefined && (own.has(named) || (listensEverywhere && isIP(named) !== 0));
    if (!isOwn) {
      throw new Refusal(
        403,
        "foreign-host",
        `This server is not ${named ?? "the host that the request names"}. Reach it by localhost or by its address.`,
      );
    }
    await next();
  };
}

/**
 * Keeps pages of other origins out, but for those in the list, which get the CORS headers that let them read. What is no page (curl, an SDK)
 * sends no Origin and passes.
 *
 * @param origins - such as `http://localhost:5173`
 * @throws LadError `invalid-option` for what is no origin; of a request, Refusal 403
 */
export function requireKnownOrigin(origins: readonly string[]): MiddlewareHandler {
  const allowed = new Set(origins.map(checkedOrigin));
  const answer = cors({
    origin: (origin) => (allowed.has(origin) ? origin : null),
    allowMethods: ["GET", "POST", "DELETE"],
    maxAge: 600,
  });
  return async (context, next) => {
    const origin = context.req.header("origin");
    if (origin !== undefined && allowed.has(origin)) return answer(context, next);
    if (isForeign(context, origin)) {
      throw new Refusal(
        403,
        "foreign-origin",
        `Pages of ${origin ?? "other sites"} may not call this server. Start it with that origin allowed.`,
      );
    }
    await next();
  };
}

/** Whether a page of another origin asks. A link that the user follows to a page of this server is no call. */
function isForeign(context: Context, origin: string | undefined): boolean {
  if (origin !== undefined) return origin !== `http://${context.req.header("host")}`;
  const site = context.req.header("sec-fetch-site");
  const isNavigation = context.req.header("sec-fetch-mode") === "navigate" && context.req.method === "GET";
  return (site === "cross-site" || site === "same-site") && !isNavigation;
}

function checkedOrigin(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw invalidOption(
    "allowOrigins",
    origin,
    "it must be an origin: scheme, host and port",
    "Give it as the browser sends it, such as http://localhost:5173.",
  );
}

/** The name or address in a request's Host header, without its port. */
function hostOf(context: Context): string | undefined {
  const header = context.req.header("host");
  if (header === undefined || !URL.canParse(`http://${header}/`)) return undefined;
  const { hostname, pathname, username } = new URL(`http://${header}/`);
  return pathname === "/" && username === "" ? bare(hostname) : undefined;
}

function isEverywhere(host: string): boolean {
  return bare(host) === "0.0.0.0" || bare(host) === "::";
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
