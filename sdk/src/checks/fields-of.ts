/** Options of which an editor shows what they mean: an interface has their comments, a schema their defaults and ranges. */
import type { z } from "zod";
import { fields } from "./fields.js";

/**
 * An object that takes the fields of an interface and no others: `fieldsOf<AdapterOptions>()({ rank: integer(1), … })`. It does
 * not compile where a field is in one of the two alone, or has other types.
 */
export function fieldsOf<Options>() {
  return <Shape extends z.ZodRawShape>(
    shape: Shape & Agreement<Options, z.input<z.ZodObject<Shape, z.core.$strict>>>,
  ) => fields<Shape>(shape);
}

/** Options with every default filled in. */
export type Complete<Options> = {
  readonly [Key in keyof Options]-?: Exclude<Options[Key], undefined>;
};

/** Anything where the two agree; else an object that nobody has, to tell where they do not. */
type Agreement<Interface, Schema> = [Disagreement<Interface, Schema>] extends [never]
  ? unknown
  : { readonly "not as in the interface": Disagreement<Interface, Schema> };

/** The fields that one of the two has alone, or that have other types in both, whether they may be left out included. */
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
