import { createHash } from "node:crypto";
import type { Client } from "../client.js";
import { AdaptersService, present } from "../wire.js";

/** What tells of an adapter's training, which no result depends on by itself. */
const CLAIMS = "lad.json";

/** SHA-256 of an adapter's or a snapshot's files in PEFT's format, as the worker sends them, in hexadecimal. */
export async function weightsDigest(
  client: Client,
  adapterId: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash("sha256");
  let last = "";
  const request = { adapterId, withCard: false };
  for await (const message of client.stream(AdaptersService.downloadAdapter, request, { signal })) {
    const { name, data } = present(message.piece, "a file");
    if (name === CLAIMS) continue;
    if (name !== last) hash.update(`${name}\n`);
    last = name;
    hash.update(data);
  }
  return hash.digest("hex");
}
