/** A client that is killed: it runs a benchmark on a worker that goes on, and tells how far it is. */
import { arcEasy, Runtime, runBenchmark } from "lad";
import { ARC_ROWS } from "./benchmark-rows.js";

const [address = "", token = "", adapterId = "", folder = ""] = process.argv.slice(2);
const runtime = await Runtime.start({ address, token });
const adapter = await runtime.adapter(adapterId);
await runBenchmark({
  benchmark: arcEasy({ data: ARC_ROWS, shots: 1 }),
  models: { adapter },
  folder,
  itemsAtOnce: 2,
  onProgress: ({ done }) => console.log(done),
});
