/** A client that is killed: it starts a worker, sets it to work, tells the worker's process id, and waits. */
import { Runtime } from "lad";
import { EXAMPLES } from "./examples.js";

const [stateFolder = ""] = process.argv.slice(2);
const runtime = await Runtime.start({ threads: 1, stateFolder });
const base = await runtime.loadBase("stub");
const adapter = await base.createAdapter({ rank: 2 });
const run = adapter.train({
  data: EXAMPLES,
  windowTokens: 48,
  steps: 100_000,
  warmupSteps: 0,
  detached: true,
});
for await (const { type } of run) {
  if (type === "step") console.log(JSON.stringify({ pid: runtime.workerPid, address: runtime.address }));
}
