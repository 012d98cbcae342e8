/** The most items in one request. A worker accepts 4,096 items and 8 MiB. */
const MOST_ITEMS = 4096;
const MOST_BYTES = 4 * 2 ** 20;

/** Splits items, in order, into batches that fit a request. An item that is too long for any goes alone; the worker rejects it. */
export function* batches<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
): Generator<Item[], void, undefined> {
  let batch: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const more = bytesOf(item);
    if (batch.length === MOST_ITEMS || (batch.length > 0 && bytes + more > MOST_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}
