/** A message whose counts, sizes and sequence numbers, all of which stay below 2⁵³, are plain numbers. */
export type Counted<Message> = {
  [Key in keyof Message]: Message[Key] extends bigint ? number : Message[Key];
};

/** The message itself, its parts as they are. */
export function counted<Message extends object>(message: Message): Counted<Message> {
  const entries = Object.entries(message);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === "bigint" ? Number(value) : value]),
  ) as Counted<Message>;
}
