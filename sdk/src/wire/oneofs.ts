/** Values with a kind, as cases of a oneof: the kind `mask-only` is the case `maskOnly`. */

/** The case for a value: named after its kind, with all other fields as its message. */
export type CaseOf<Each extends { readonly kind: string }> = Each extends { readonly kind: string }
  ? { $case: CamelCase<Each["kind"]>; value: Omit<Each, "kind"> }
  : never;

export type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Rest}`
  ? `${Head}${Capitalize<CamelCase<Rest>>}`
  : Name;

export function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
