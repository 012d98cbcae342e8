/** The flags of an HTTP endpoint, and the endpoint of a command's worker. */
import { type Command, InvalidArgumentError } from "commander";
import { type Endpoint, serveOpenAI } from "../../endpoint/index.js";
import { LadError, type Runtime } from "../../index.js";
import { type Cli, note } from "../cli.js";
import { library } from "./library.js";
import { DEFAULT_BASE } from "./model.js";
import { integer } from "./values.js";

/** Where an endpoint listens, and what it serves. */
export interface EndpointFlags {
  readonly openai?: boolean;
  readonly port?: number;
  readonly host?: string;
  readonly base?: readonly string[];
  readonly alias?: Readonly<Record<string, string>>;
  readonly allowOrigin?: readonly string[];
}

/** The port that clients are told once and find again. */
const PORT = 8421;

/** Adds the flags of an endpoint, for `serveEndpoint`. */
export function withEndpointFlags(command: Command): Command {
  return command
    .option("--openai", "also serve the APIs of OpenAI and Anthropic over HTTP, with its key in LAD_API_KEY")
    .option("--port <n>", `the endpoint's port; 0: any that is free (default: ${PORT})`, integer)
    .option("--host <address>", "its address (default: 127.0.0.1, which other machines cannot reach)")
    .option(
      "--base <base>",
      `a base that clients may name (default: ${DEFAULT_BASE}); may be given again`,
      another,
    )
    .option("--alias <name=model>", "another name for base or base:adapter; may be given again", alias)
    .option("--allow-origin <origin>", "a web page's origin that may call it; may be given again", another);
}

/**
 * Serves the endpoint that the flags ask for; undefined where they ask for none.
 *
 * @throws LadError `invalid-option`, `port-in-use`
 */
export async function serveEndpoint(
  cli: Cli,
  runtime: Runtime,
  flags: EndpointFlags,
): Promise<Endpoint | undefined> {
  const { port = PORT, host, base, alias: aliases, allowOrigin: allowOrigins } = flags;
  if (!flags.openai) return undefined;
  return serveOpenAI(runtime, {
    host,
    port,
    allowOrigins,
    aliases,
    token: process.env.LAD_API_KEY || undefined,
    bases: base ?? [DEFAULT_BASE],
    adapters: async () =>
      (await library()).flatMap(({ name, baseName, folder, saved }) =>
        baseName === undefined ? [] : [{ name, baseName, folder, saved }],
      ),
    onFailure: (error) =>
      note(cli, `lad: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
  });
}

/** @throws LadError `invalid-option` for a flag of the endpoint without --openai */
export function checkEndpointFlags({ openai, ...flags }: EndpointFlags): void {
  const given = (["port", "host", "base", "alias", "allowOrigin"] as const).find(
    (name) => flags[name] !== undefined,
  );
  if (openai || given === undefined) return;
  const flag = `--${given === "allowOrigin" ? "allow-origin" : given}`;
  throw new LadError("invalid-option", `${flag} is of the endpoint, which is not asked for.`, {
    option: flag,
    remedy: "Add --openai.",
  });
}

function another(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function alias(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, model] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || model === undefined) {
    throw new InvalidArgumentError("It must be name=base or name=base:adapter.");
  }
  return { ...before, [name]: model };
}
