/** Uploads examples to the worker. A data set is addressed by its content, so equal data is uploaded once. */
import { createHash } from "node:crypto";
import type { Client } from "../client.js";
import { LadError } from "../errors.js";
import type { CheckedPlainSource, CheckedWholeSource, Dataset } from "../options.js";
import { DataService, type pb } from "../wire.js";
import { inPieces, localBytes } from "./local-bytes.js";
import { partOf } from "./splitting.js";

/**
 * The data set of a plain source, which is uploaded or opened if the worker does not have it.
 *
 * @throws LadError `not-found` for a missing file, `invalid-data` with the line for an example that cannot be read
 */
export async function openSource(
  client: Client,
  source: CheckedPlainSource,
  signal?: AbortSignal,
): Promise<Dataset> {
  if ("split" in source) return openPart(client, source.split, signal);
  if ("id" in source) return source;
  const local = localBytes(source);
  if (local !== undefined) return upload(client, local.bytes, local.name, signal).catch(local.named);
  const { fields = {}, ...fetched } = source as Fetched;
  const columns = Object.entries(fields).map(([field, column]) => ({ field, column: column ?? "" }));
  const request = { source: toOpen(fetched), columns };
  const { datasetId, examples } = await client.call(DataService.openDataset, request, { signal });
  return { id: datasetId, examples: Number(examples) };
}

/** One part of a source: of one that the worker reads itself, from what it has read. */
async function openPart(
  client: Client,
  { data, ...part }: Extract<CheckedPlainSource, { split: object }>["split"],
  signal: AbortSignal | undefined,
): Promise<Dataset> {
  const local = localBytes(data);
  if (local !== undefined) {
    const bytes = () => partOf(local.bytes(), part);
    return upload(client, bytes, local.name, signal).catch(local.named);
  }
  const { id: datasetId } = await openSource(client, data, signal);
  const whole = async function* () {
    for await (const { data } of client.stream(DataService.downloadDataset, { datasetId }, { signal })) {
      yield data;
    }
  };
  return upload(client, () => partOf(whole(), part), `the ${part.part} part of the data`, signal);
}

/** Sources that the worker reads itself. */
type Fetched = Extract<CheckedWholeSource, { workerJsonl: string } | { hub: object }>;

function toOpen(source: Fetched): NonNullable<pb.data.OpenDatasetRequest["source"]> {
  if ("workerJsonl" in source) return { $case: "path", value: source.workerJsonl };
  const { maxExamples, ...names } = source.hub;
  return { $case: "hub", value: { ...names, maxExamples: BigInt(maxExamples) } };
}

/** Hashes the bytes, and sends them unless the worker has a data set with that hash. */
async function upload(
  client: Client,
  bytes: () => AsyncIterable<Buffer>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Dataset> {
  const hash = createHash("sha256");
  for await (const piece of bytes()) hash.update(piece);
  const id = hash.digest("hex");
  const requests = async function* () {
    for await (const some of bytes()) for (const data of inPieces(some)) yield { data };
  };
  const bring = (unlimited: Client, stop: AbortSignal) => send(unlimited, id, requests, name, stop);
  return client.bring(id, bring, DataService.uploadDataset, { signal });
}

/** Sends the bytes. An upload may be repeated: equal bytes are the same data set. */
async function send(
  client: Client,
  id: string,
  requests: () => AsyncIterable<{ data: Buffer }>,
  name: string,
  signal: AbortSignal,
): Promise<Dataset> {
  const known = await client.call(DataService.hasDataset, { datasetId: id }, { signal });
  if (known.found) return { id, examples: Number(known.examples) };
  const reply = await client.upload(DataService.uploadDataset, requests, { signal });
  if (reply.datasetId !== id) {
    throw new LadError("invalid-data", `${name} changed while it was being read.`, {
      option: "data",
      value: name,
      remedy: "Start again once nothing writes to it.",
    });
  }
  return { id, examples: Number(reply.examples) };
}
