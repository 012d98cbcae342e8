/** Calls of the demo's server. The token comes with the page's address, and goes with every call. */
import type { Problem } from "../../../src/demo/messages.js";

const KEPT = "lad-demo-token";
/** How the server calls a token that is not its own. */
const STALE = "unauthenticated";

/** A call that was refused. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What stands behind the # of an address. */
export function fragment(): URLSearchParams {
  return new URLSearchParams(location.hash.slice(1));
}

/**
 * Takes the token out of the address, so that it is in no copied link, and keeps it for as long as the tab is open.
 *
 * @returns whether there is one
 */
export function takeToken(): boolean {
  const given = fragment();
  const token = given.get("token");
  if (token !== null) {
    sessionStorage.setItem(KEPT, token);
    given.delete("token");
    const rest = given.toString();
    history.replaceState(undefined, "", rest === "" ? location.pathname : `#${rest}`);
  }
  return sessionStorage.getItem(KEPT) !== null;
}

/** Whether a call was refused for its token: that of a demo which has ended meanwhile, since each has one of its own. */
export function isStale(error: unknown): boolean {
  return error instanceof Refused && error.code === STALE;
}

/** Keeps the token of an address that the user has pasted; false if it has none. */
export function pasteToken(address: string): boolean {
  const token = /#(?:.*&)?token=([0-9a-f]+)/.exec(address)?.[1];
  if (token !== undefined) sessionStorage.setItem(KEPT, token);
  return token !== undefined;
}

/**
 * A reply's value.
 *
 * @throws Refused
 */
export async function call<Reply>(path: string, body?: unknown): Promise<Reply> {
  return (await (await send(path, body)).json()) as Reply;
}

/**
 * The lines of a stream, as they come. Leaving the loop ends the call.
 *
 * @throws Refused, also for a stream that breaks off with a problem
 */
export async function* stream<Line extends { readonly type: string }>(
  path: string,
  body: unknown,
  signal: AbortSignal,
): AsyncGenerator<Exclude<Line, Problem>> {
  const { body: bytes } = await send(path, body, signal);
  const reader = bytes?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  try {
    let text = "";
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (text + value).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) yield told<Line>(JSON.parse(line) as Line | Problem);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function told<Line extends { readonly type: string }>(line: Line | Problem): Exclude<Line, Problem> {
  if (line.type !== "error") return line as Exclude<Line, Problem>;
  const { code, message } = line as Problem;
  throw new Refused(code, message);
}

async function send(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers = { authorization: `Bearer ${sessionStorage.getItem(KEPT) ?? ""}` };
  const method = body === undefined ? "GET" : "POST";
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`./api/${path}`, { method, headers, ...sent, signal: signal ?? null }).catch(
    (error: unknown) => {
      if (signal?.aborted) throw error;
      throw new Refused("unavailable", "The demo does not answer. Is `lad demo` still running?");
    },
  );
  if (response.ok) return response;
  const { error } = (await response.json().catch(() => ({}))) as {
    error?: { code: string; message: string };
  };
  if (error?.code === STALE) {
    const problem = "`lad demo` was started anew since this tab was opened.";
    throw new Refused(STALE, `${problem} Open the address that it has printed.`);
  }
  throw new Refused(error?.code ?? "internal", error?.message ?? `The demo answered ${response.status}.`);
}
