import { expect, it } from "vitest";
import { integer, oneOf } from "../../../sdk/src/checks/fields.js";
import { fieldsOf } from "../../../sdk/src/checks/fields-of.js";

interface Shelf {
  boards: number;
  wood?: "oak" | "ash" | undefined;
}

const boards = integer(1);
const wood = oneOf(["oak", "ash"]).default("oak");

it("takes the interface's fields and no others", () => {
  const shelf = fieldsOf<Shelf>()({ boards, wood });
  expect(shelf.parse({ boards: 3 })).toEqual({ boards: 3, wood: "oak" });
  expect(shelf.safeParse({ boards: 3, colour: "red" }).success).toBe(false);
});

it("does not compile unless interface and schema agree, which `npm run check` tells", () => {
  const agreement = fieldsOf<Shelf>();
  const disagreements = [
    // @ts-expect-error: the schema lacks a field that may be left out
    () => agreement({ boards }),
    // @ts-expect-error: the schema has one more
    () => agreement({ boards, wood, depth: integer(1).optional() }),
    // @ts-expect-error: the schema takes less
    () => agreement({ boards, wood: oneOf(["oak"]).default("oak") }),
    // @ts-expect-error: the schema takes more
    () => agreement({ boards, wood: oneOf(["oak", "ash", "fir"]).default("oak") }),
    // @ts-expect-error: the interface lets a field be left out that the schema requires
    () => agreement({ boards, wood: oneOf(["oak", "ash"]) }),
    // @ts-expect-error: the schema lets a field be left out that the interface requires
    () => agreement({ boards: boards.optional(), wood }),
  ];
  expect(disagreements.map((schema) => Object.keys(schema().shape))).not.toContainEqual([]);
});
