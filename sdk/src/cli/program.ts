/** The command line as a whole: which commands there are, and what becomes of their errors. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { isLadError, type LadError, type LadErrorCode } from "../errors.js";
import { locateRuntime } from "../setup/locate.js";
import { type Cli, columnsOf, note, noteError } from "./cli.js";
import { folded } from "./folding.js";
import { invocation } from "./invocation.js";
import { LEFT_STATUS } from "./leaving.js";
import { refuseUnknown, usageError } from "./mistakes.js";
import { inFlags } from "./naming.js";
import type { Completed } from "./support/completions.js";

/** A command that is read when it is asked for, so that `lad setup` needs nothing but itself. */
interface Listed {
  /** The heading that it stands under in the help. */
  readonly group: string;
  /** One line. */
  readonly about: string;
  load(): Promise<(cli: Cli) => Command>;
}

/** Every command, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Listed>> = {
  setup: {
    group: "Begin:",
    about: "make the worker's Python environment",
    load: async () => (await import("./commands/setup.js")).setupCommand,
  },
  doctor: {
    group: "Begin:",
    about: "look for what is wrong with this machine, and say what to type",
    load: async () => (await import("./commands/doctor.js")).doctorCommand,
  },
  bases: {
    group: "Begin:",
    about: "the models that adapters are trained on",
    load: async () => (await import("./commands/bases.js")).basesCommand,
  },
  pull: {
    group: "Begin:",
    about: "fetch a base, so that it is there when it is needed",
    load: async () => (await import("./commands/pull.js")).pullCommand,
  },
  data: {
    group: "Train:",
    about: "look at data as training would see it",
    load: async () => (await import("./commands/data.js")).dataCommand,
  },
  train: {
    group: "Train:",
    about: "train an adapter",
    load: async () => (await import("./commands/train.js")).trainCommand,
  },
  sweep: {
    group: "Train:",
    about: "train an adapter for each value of some options, and compare them",
    load: async () => (await import("./commands/sweep.js")).sweepCommand,
  },
  run: {
    group: "Train:",
    about: "run an experiment's file",
    load: async () => (await import("./commands/run.js")).runCommand,
  },
  sample: {
    group: "Use:",
    about: "answer a prompt",
    load: async () => (await import("./commands/sample.js")).sampleCommand,
  },
  chat: {
    group: "Use:",
    about: "talk to an adapter",
    load: async () => (await import("./commands/chat.js")).chatCommand,
  },
  demo: {
    group: "Use:",
    about: "watch answers form in a browser, and edit them on the way",
    load: async () => (await import("./commands/demo.js")).demoCommand,
  },
  evaluate: {
    group: "Use:",
    about: "measure an adapter's answers to questions",
    load: async () => (await import("./commands/evaluate.js")).evaluateCommand,
  },
  reproduce: {
    group: "Use:",
    about: "measure every claim of the LAD paper, and report the verdicts",
    load: async () => (await import("./commands/reproduce.js")).reproduceCommand,
  },
  report: {
    group: "Use:",
    about: "make the report of kept results again",
    load: async () => (await import("./commands/report.js")).reportCommand,
  },
  adapters: {
    group: "Manage:",
    about: "list, import, export, merge, push and drop trained adapters",
    load: async () => (await import("./commands/adapters.js")).adaptersCommand,
  },
  runs: {
    group: "Manage:",
    about: "list, follow, pause, resume and cancel runs",
    load: async () => (await import("./commands/runs.js")).runsCommand,
  },
  checkpoints: {
    group: "Manage:",
    about: "list, keep and delete checkpoints",
    load: async () => (await import("./commands/checkpoints.js")).checkpointsCommand,
  },
  serve: {
    group: "Manage:",
    about: "keep a worker for other commands and programs",
    load: async () => (await import("./commands/serve.js")).serveCommand,
  },
  completion: {
    group: "Manage:",
    about: "a shell's completions of commands and flags",
    load: async () => {
      const { completionCommand } = await import("./commands/completion.js");
      return (cli) => completionCommand(cli, () => completions(cli));
    },
  },
};

/** Exit statuses beside 0 and `LEFT_STATUS`: a command that failed, one that was called wrongly, a worker that cannot be had. */
export const STATUS = { failed: 1, usage: 2, noWorker: 3 } as const;

const NO_WORKER: ReadonlySet<LadErrorCode> = new Set([
  "setup-required",
  "setup-failed",
  "worker-start-failed",
  "worker-died",
  "container-failed",
  "unavailable",
  "unauthenticated",
  "version-mismatch",
  "state-in-use",
  "port-in-use",
]);

/** Of a terminal that does not tell its width. */
const COLUMNS = 80;
/** Of an explanation beside its flag; where there are fewer, it goes beyond the terminal's edge. */
const LEAST_COLUMNS = 16;

const AFTER = `
Exit status: 0; 1 a failure; 2 a mistake in the command; 3 no worker; 130 left by Ctrl-C.
Commands use the worker that --worker or LAD_WORKER names, else the one of \`lad serve\`, else start one.
LAD_HOME is the folder of adapters and runs. NO_COLOR leaves colours out.`;

/** Runs the command of `words`, and gives the process's exit status. */
export async function runLad(words: readonly string[], cli: Cli): Promise<number> {
  const json = words.includes("--json");
  let command: Command | undefined;
  try {
    command = await commandOf(words, cli);
    await programWith(command, cli, json).parseAsync([...words], { from: "user" });
    return cli.leaving.signal.aborted ? LEFT_STATUS : 0;
  } catch (error) {
    return failed(error, cli, { json, command });
  }
}

/** The command that is asked for; undefined where there is none of that name. */
async function commandOf(words: readonly string[], cli: Cli): Promise<Command | undefined> {
  const asked = words.find((word) => !word.startsWith("-"));
  const wanted = asked === "help" ? words[words.indexOf("help") + 1] : asked;
  if (wanted === undefined || !Object.hasOwn(COMMANDS, wanted)) return undefined;
  return (await COMMANDS[wanted]?.load())?.(cli);
}

/** The program with that command; of the others, their names. */
function programWith(asked: Command | undefined, cli: Cli, json: boolean): Command {
  const program = new Command("lad")
    .description("LoRA-Adapted Diffusion: turns a causal Llama into a diffusion language model.")
    .version(version())
    .addHelpText("after", AFTER)
    .addHelpText("afterAll", typedText());
  for (const [name, { about, group }] of Object.entries(COMMANDS)) {
    const command = name === asked?.name() ? asked : new Command(name);
    program.addCommand(command.description(about).helpGroup(group));
  }
  return settled(program, cli, json);
}

/** What is typed for `lad`, unless that is the word itself. */
function typedText(): string {
  const lad = invocation();
  return lad === "lad" ? "" : `\nFor lad, type: ${lad}`;
}

/** Every command with what may follow it. */
async function completions(cli: Cli): Promise<Completed[]> {
  const { completed } = await import("./support/completions.js");
  const known = Object.entries(COMMANDS);
  return Promise.all(known.map(async ([, { about, load }]) => completed((await load())(cli), about)));
}

/** Has a command and those under it throw instead of exit, and write where the command line does: of mistakes with `json` nothing. */
function settled(command: Command, cli: Cli, json: boolean): Command {
  refuseUnknown(command);
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.stdout.write(folded(text, cli.stdout.columns ?? COLUMNS)),
      writeErr: (text) => {
        if (!json) cli.stderr.write(folded(text, columnsOf(cli.stderr)));
      },
      getOutHelpWidth: () => cli.stdout.columns ?? COLUMNS,
      getErrHelpWidth: () => cli.stderr.columns ?? COLUMNS,
      getOutHasColors: () => cli.stdout.isTTY === true && !process.env.NO_COLOR,
      getErrHasColors: () => cli.stderr.isTTY === true && !process.env.NO_COLOR,
    })
    .configureHelp({ minWidthToWrap: LEAST_COLUMNS })
    .showHelpAfterError("(--help tells more)");
  for (const inner of command.commands) settled(inner, cli, json);
  return command;
}

/** Tells an error, and gives its exit status. */
function failed(
  error: unknown,
  cli: Cli,
  { json, command }: { readonly json: boolean; readonly command: Command | undefined },
): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (json) noteError(cli, usageError(error)); // else commander has told it
    return STATUS.usage;
  }
  const isLeft = cli.leaving.signal.aborted && isLadError(error, "cancelled");
  if (isLeft) return LEFT_STATUS;
  if (!isLadError(error)) {
    note(cli, error instanceof Error ? (error.stack ?? error.message) : String(error));
    return STATUS.failed;
  }
  if (json) noteError(cli, error);
  else note(cli, `lad: ${inFlags(error, command)}`);
  return statusOf(error);
}

/** The exit status of a command that failed so. */
export function statusOf({ code, option }: LadError): number {
  if (code === "invalid-option") return STATUS.usage;
  const isLate = code === "timeout" && option === "startTimeoutMs"; // nobody listens there
  if (code === "unavailable" && option !== undefined) return STATUS.failed; // what the worker needs for it: a hub, a package
  return NO_WORKER.has(code) || isLate ? STATUS.noWorker : STATUS.failed;
}

function version(): string {
  const { packageFolder } = locateRuntime();
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as {
    version: string;
  };
  return version;
}
