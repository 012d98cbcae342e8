/** A message with plain numbers for its counts, sizes and sequence numbers, which all stay below 2⁵³. */
export type Counted<Message> = {
  [Key in keyof Message]: Message[Key] extends bigint ? number : Message[Key];
};

/** Converts the message's own bigints to numbers, but not those of its parts. */
export function counted<Message extends object>(message: Message): Counted<Message> {
  const entries = Object.entries(message);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === "bigint" ? Number(value) : value]),
  ) as Counted<Message>;
}

/** Makes an object that has 64-bit integers of its own one that JSON can hold: there they are in decimal digits. */
export function inJson<Value extends object>(value: Value): Value {
  return Object.defineProperty(value, "toJSON", { value: withDigits });
}

function withDigits(this: object): object {
  const entries = Object.entries(this);
  return Object.fromEntries(entries.map(([key, own]) => [key, typeof own === "bigint" ? String(own) : own]));
}
