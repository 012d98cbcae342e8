/** Serves a worker's models to the clients of other APIs. */
import { cancelled } from "../errors.js";
import { listen } from "../http/listen.js";
import type { Runtime } from "../index.js";
import { endpointApp } from "./app.js";
import { Desk } from "./desk.js";
import { Models } from "./models.js";
import { checkEndpoint, type EndpointOptions } from "./options.js";

/** An endpoint that is served. */
export interface Endpoint extends AsyncDisposable {
  /** What OpenAI's clients take as their base URL, such as `http://127.0.0.1:8421/v1`; Anthropic's take it without `/v1`. */
  readonly url: string;
  /** What clients take as their API key: keep it secret. */
  readonly token: string;
  /** Where it listens. */
  readonly port: number;
  /** Ends the sampling of whoever is still answered, closes the socket, and drops the adapters that were loaded; the worker goes on. */
  close(): Promise<void>;
}

/**
 * Serves `/v1/chat/completions`, `/v1/completions`, `/v1/responses`, `/v1/models` and Anthropic's `/v1/messages` over HTTP. Requests are sent
 * to the worker as they come, which computes them in common forwards.
 *
 * @throws LadError `invalid-option`, `not-found` for an alias on a base that is not served, `port-in-use`
 */
export async function serveOpenAI(runtime: Runtime, options: EndpointOptions = {}): Promise<Endpoint> {
  const {
    host,
    port,
    allowOrigins,
    bases,
    adapters,
    aliases,
    maxAnswers,
    unreadMs,
    maxBodyBytes,
    onFailure,
    ...given
  } = checkEndpoint(options);
  const token = given.token ?? runtime.connection.token;
  const closing = new AbortController();
  const models = new Models(runtime, { bases, adapters, aliases });
  const desk = new Desk(models, { maxAnswers, unreadMs }, closing.signal, onFailure);
  const app = endpointApp(desk, { host, token, allowOrigins, bodyBytes: maxBodyBytes, onFailure });
  await models.checkAliases();
  const server = await listen(app, { host, port });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= (async () => {
      closing.abort(cancelled("The request"));
      await server.close();
      await models.close();
    })();
    return closed;
  };
  return { url: `${server.url}/v1`, token, port: server.port, close, [Symbol.asyncDispose]: close };
}
