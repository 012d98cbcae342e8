import { describe, expect, it } from "vitest";
import { invocation, typable } from "../../../sdk/src/cli/invocation.js";
import { locateRuntime } from "../../../sdk/src/setup/locate.js";

const here = locateRuntime();
const installed = { ...here, isCheckout: false };

describe("what is typed for lad", () => {
  it("is a script of npm in a checkout, whatever has started it", () => {
    expect(invocation({}, here)).toBe("npm run lad --");
    expect(invocation({ npm_command: "exec" }, here)).toBe("npm run lad --");
  });

  it("is npx's where npm has started it, and the word itself in a shell that knows it", () => {
    expect(invocation({ npm_command: "exec" }, installed)).toBe("npx lad");
    expect(invocation({ npm_command: "run-script" }, installed)).toBe("npx lad");
    expect(invocation({}, installed)).toBe("lad");
  });

  it("stands in hints in backticks alone", () => {
    const hint = "`lad train` makes one; `npx lad setup` too, and lad chat is a sentence.";
    expect(typable(hint, "npx lad")).toBe(
      "`npx lad train` makes one; `npx lad setup` too, and lad chat is a sentence.",
    );
    expect(typable(hint, "npm run lad --")).toContain("`npm run lad -- train` makes one");
  });
});
