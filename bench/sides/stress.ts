/** What a worker has to stand: clients that ask for all it holds as fast as they can, beside runs that are cancelled and begun anew. */
import { type Adapter, Runtime, type TrainingOptions } from "../../sdk/src/index.js";

/** Bases of this name are loaded, as the clients find them. */
export interface Stress {
  readonly runtime: Runtime;
  /** One is trained by one run after another each. */
  readonly adapters: readonly Adapter[];
  readonly training: TrainingOptions;
  readonly clients: number;
  readonly seconds: number;
}

export interface Stood {
  /** Calls that the worker answered. */
  readonly calls: number;
  /** Runs that were started, followed for a few steps, and cancelled. */
  readonly runs: number;
}

/** Ends when the time is up, and every run has ended. @throws whatever a call fails with */
export async function stress({ runtime, adapters, training, clients, seconds }: Stress): Promise<Stood> {
  const end = performance.now() + 1000 * seconds;
  const goesOn = () => performance.now() < end;
  const connected = await Promise.all(
    Array.from({ length: clients }, () => Runtime.start(runtime.connection)),
  );
  try {
    const [asked, scored, runs] = await Promise.all([
      Promise.all(connected.map((client) => ask(client, adapters, goesOn))),
      Promise.all(adapters.slice(0, 1).map((adapter) => score(adapter, goesOn))),
      Promise.all(adapters.map((adapter) => startAndCancel(adapter, training, goesOn))),
    ]);
    return { calls: sum([...asked, ...scored]), runs: sum(runs) };
  } finally {
    await Promise.all(connected.map((client) => client.close()));
  }
}

async function ask(client: Runtime, adapters: readonly Adapter[], goesOn: () => boolean): Promise<number> {
  const own = await Promise.all(adapters.map(({ id }) => client.adapter(id)));
  let calls = 0;
  while (goesOn()) {
    await Promise.all([client.info(), client.runs(), ...own.map((adapter) => adapter.refresh())]);
    calls += 2 + own.length;
  }
  return calls;
}

async function score(adapter: Adapter, goesOn: () => boolean): Promise<number> {
  let calls = 0;
  for (; goesOn(); calls++) await adapter.score({ items: [{ ids: [5, 6], continuation: [7, 8] }] });
  return calls;
}

async function startAndCancel(
  adapter: Adapter,
  training: TrainingOptions,
  goesOn: () => boolean,
): Promise<number> {
  let runs = 0;
  for (; goesOn(); runs++) {
    let steps = 0;
    for await (const event of adapter.train(training)) {
      if (event.type === "step" && (++steps > runs % 7 || !goesOn())) break;
    }
  }
  await adapter.train({ ...training, steps: 1 }).result(); // the last one has let go of the adapter
  return runs;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
