/** What every local server of this package begins with. */
import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { limitBody } from "./body.js";
import { Refusal, refusalOf } from "./refusal.js";
import { requireKnownOrigin, requireOwnHost } from "./visitors.js";

/** What a {@link localApp} is told. */
export interface LocalAppOptions {
  /** The name or address that it listens on. */
  readonly host: string;
  /** Origins whose pages may call it beside its own. Default: none. */
  readonly allowOrigins?: readonly string[] | undefined;
  /** The longest body that a request may have, in bytes. Default: 4 MiB. */
  readonly bodyBytes?: number | undefined;
  /** The body of a refusal, in the shape that the server's clients read. Default: `{ error: { code, message, field } }`. */
  readonly shape?: ((refusal: Refusal, context: Context) => object) | undefined;
  /** Told of failures that are the server's own. Default: nobody. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/**
 * A Hono application with this package's guards: it answers only under its own names, only its own pages and those of allowed origins, and
 * reads no longer bodies than `bodyBytes` (by `textOf`). What a route throws becomes a refusal. Routes that need the token use `requireToken`.
 *
 * @throws LadError `invalid-option` for what is no origin
 */
export function localApp(options: LocalAppOptions): Hono {
  const { host, allowOrigins = [], bodyBytes = 4 << 20, shape = plain, onFailure = () => {} } = options;
  const app = new Hono();
  app.use(
    secureHeaders({ strictTransportSecurity: false }),
    requireOwnHost(host),
    requireKnownOrigin(allowOrigins),
  );
  app.use(limitBody(bodyBytes));
  app.notFound((context) => refuse(missing(context), context));
  app.onError((error, context) => refuse(refusalOf(error), context));
  return app;

  function refuse(refusal: Refusal, context: Context): Response {
    const isRead = !context.req.raw.signal.aborted; // what a client breaks off is no failure of the server's
    if (refusal.status === 500 && isRead) onFailure(refusal.cause ?? refusal);
    if (refusal.retryAfterMs !== undefined) {
      context.header("retry-after", String(Math.ceil(refusal.retryAfterMs / 1000)));
    }
    if (refusal.status === 401) context.header("www-authenticate", "Bearer");
    return context.json(shape(refusal, context), refusal.status);
  }
}

function plain({ code, message, field }: Refusal): object {
  return { error: { code, message, ...(field !== undefined && { field }) } };
}

function missing({ req }: Context): Refusal {
  return new Refusal(404, "not-found", `There is no ${req.method} ${req.path} here.`);
}
