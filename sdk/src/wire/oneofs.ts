/** Values with a kind, as cases of a oneof: the kind `mask-only` is the case `maskOnly`. */

interface Kinded {
  readonly kind: string;
}

/** The case for a value: named after its kind, with all other fields as its message. */
export type CaseOf<Each extends Kinded> = Each extends Kinded
  ? {
      $case: CamelCase<Each["kind"]>;
      value: { [Key in keyof Omit<Each, "kind">]: Sent<Each[Key & keyof Each]> };
    }
  : never;

/** A field that has a kind itself is a message of one oneof. */
type Sent<Field> = Field extends Kinded ? { kind: CaseOf<Field> } : Field;

export type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Rest}`
  ? `${Head}${Capitalize<CamelCase<Rest>>}`
  : Name;

export function toCase<Each extends Kinded>({ kind, ...options }: Each): CaseOf<Each> {
  const value = Object.entries(options).map(([key, field]) => [
    key,
    isKinded(field) ? { kind: toCase(field) } : field,
  ]);
  return { $case: camelCase(kind), value: Object.fromEntries(value) } as CaseOf<Each>;
}

export function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function isKinded(field: unknown): field is Kinded {
  return typeof field === "object" && field !== null && "kind" in field;
}
