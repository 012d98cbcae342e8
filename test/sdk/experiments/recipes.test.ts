import { describe, expect, it } from "vitest";
import { LadError, recipeFor, recipes } from "../../../sdk/src/index.js";

describe("the recipe for a base", () => {
  it("is its own, the method's where it has none, and another where that is asked for", () => {
    expect(recipeFor("tiny")).toBe(recipes.tiny);
    expect(recipeFor("meta-llama/Llama-3.2-1B")).toBe(recipes.lad);
    expect(recipeFor("toString")).toBe(recipes.lad);
    expect(recipeFor("tiny", "lad")).toBe(recipes.lad);
  });

  it("is not guessed from a preset that does not exist, but its name is", () => {
    expect(() => recipeFor("tiny", "beter")).toThrow(/Did you mean better\?/);
    expect(() => recipeFor("tiny", "nope")).toThrow(LadError);
    expect(() => recipeFor("tiny", "nope")).toThrow(/preset is "?nope"?.*Give one of lad, better, tiny/);
  });
});
