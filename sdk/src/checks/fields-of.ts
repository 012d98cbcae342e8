/** Ties a schema (defaults and ranges) to an interface (the comments that an editor shows). */
import type { z } from "zod";
import { fields, type Misplaced } from "./fields.js";

/**
 * A schema with exactly the fields of an interface: `fieldsOf<AdapterOptions>()({ rank: integer(1), … })`. It does not compile if a
 * field is in one of the two alone, or has different types.
 */
export function fieldsOf<Options>() {
  return <Shape extends z.ZodRawShape>(
    shape: Shape & Agreement<Options, z.input<z.ZodObject<Shape, z.core.$strict>>>,
    misplaced?: Misplaced,
  ) => fields<Shape>(shape, misplaced);
}

/** Options with every default filled in. */
export type Complete<Options> = {
  readonly [Key in keyof Options]-?: Exclude<Options[Key], undefined>;
};

/** Any value if the two agree, else an impossible object whose type names the fields that differ. */
type Agreement<Interface, Schema> = [Disagreement<Interface, Schema>] extends [never]
  ? unknown
  : { readonly "not as in the interface": Disagreement<Interface, Schema> };

/** The fields that only one of the two has, or whose types or optionality differ. */
type Disagreement<Left, Right> =
  | Exclude<keyof Left, keyof Right>
  | Exclude<keyof Right, keyof Left>
  | {
      [Key in keyof Left & keyof Right]: [Pick<Left, Key>, Pick<Right, Key>] extends [
        Pick<Right, Key>,
        Pick<Left, Key>,
      ]
        ? never
        : Key;
    }[keyof Left & keyof Right];
