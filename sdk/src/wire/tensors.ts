/** Tensors as bytes: little-endian float32. */

/** Copies the bytes, so that the array is aligned and does not keep the message in memory. */
export function fromFloat32Bytes(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** Rounds each value to float32, once. */
export function toFloat32Bytes(values: ArrayLike<number>): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (let i = 0; i < values.length; i++) bytes.writeFloatLE(values[i] as number, 4 * i);
  return bytes;
}

/** A byte for each flag. */
export function toFlagBytes(flags: readonly boolean[]): Buffer {
  return Buffer.from(flags.map(Number));
}

export function fromFlagBytes(bytes: Uint8Array): boolean[] {
  return Array.from(bytes, (byte) => byte !== 0);
}
