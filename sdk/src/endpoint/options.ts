/** The options of `serveOpenAI`. */
import { z } from "zod";
import { check } from "../checks/check.js";
import { callback, filledText, integer, secret } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { invalidOption } from "../errors.js";
import type { ServedAdapter } from "./models.js";

/** How an endpoint is served. */
export interface EndpointOptions {
  /** A name or address of this machine to listen on. Default: `127.0.0.1`, which other machines cannot reach. */
  host?: string | undefined;
  /** An integer from 0 to 65535; 0 is any that is free. Default: 0. */
  port?: number | undefined;
  /** What every call must bring, as printable ASCII characters. Default: the worker's token. */
  token?: string | undefined;
  /** Origins whose pages may call it, such as `http://localhost:5173`. Default: none. */
  allowOrigins?: readonly string[] | undefined;
  /** The bases that clients may name, beside those that are resident. Default: `tiny`. */
  bases?: readonly string[] | undefined;
  /** The adapters that clients may name as `base:name`, asked for again for each request that names one. Default: none. */
  adapters?: (() => Promise<readonly ServedAdapter[]>) | undefined;
  /** Other names for `base` or `base:adapter`, whose base is one of `bases` or resident; the adapter may come later. Default: none. */
  aliases?: Readonly<Record<string, string>> | undefined;
  /**
   * Answers that are written at once, at most: those of all requests, `n` to each prompt. More get the status 429. An integer of at least 1.
   * Default: 256.
   */
  maxAnswers?: number | undefined;
  /**
   * How long a client may take nothing of a stream that is sent before its connection is closed, which ends its sampling: milliseconds, an
   * integer from 1 to 2,147,483,647. Default: 30000.
   */
  unreadMs?: number | undefined;
  /** The longest body of a request, in bytes: an integer of at least 1. Default: 4194304. */
  maxBodyBytes?: number | undefined;
  /** Told of failures that are the endpoint's own, whose text clients do not see. Default: nobody. */
  onFailure?: ((error: unknown) => void) | undefined;
}

const names = z.array(filledText(), { error: "a list of names" }).readonly();

export const endpointOptions = fieldsOf<EndpointOptions>()({
  host: filledText("a name or address of this machine").default("127.0.0.1"),
  port: integer(0, 65535).default(0),
  token: secret("printable ASCII characters").optional(),
  allowOrigins: names.default([]),
  bases: names.default(["tiny"]),
  adapters: callback<() => Promise<readonly ServedAdapter[]>>().optional(),
  aliases: z.record(filledText(), filledText(), { error: "an object of names" }).readonly().optional(),
  maxAnswers: integer(1).default(256),
  unreadMs: integer(1, 2 ** 31 - 1).default(30_000),
  maxBodyBytes: integer(1).default(4 << 20),
  onFailure: callback<(error: unknown) => void>().optional(),
});

/** @throws LadError `invalid-option` */
export function checkEndpoint(options: EndpointOptions) {
  const {
    aliases = {},
    adapters = async () => [],
    onFailure = () => {},
    ...given
  } = check(endpointOptions, options);
  const circular = Object.entries(aliases).find(([, target]) => Object.hasOwn(aliases, target));
  if (circular === undefined) return { ...given, aliases, adapters, onFailure };
  throw invalidOption("aliases", circular.join("="), "it names an alias", "Name a base, or base:adapter.");
}
