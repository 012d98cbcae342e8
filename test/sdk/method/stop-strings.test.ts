/** Where stop strings end a text; the worker's twin is tested in test/runtime/sampling/test_stop_strings.py. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutAtStop, firstStopString } from "../../../sdk/src/method/answer-end.js";

/** The text letter by letter, until it ends in one of the strings; of several in the longest. */
function plainlyCut(text: string, stop: readonly string[]): [string, string | undefined] {
  for (let end = 0; end <= text.length; end++) {
    const ending = stop.filter((string) => text.slice(0, end).endsWith(string));
    const [longest] = ending.sort((a, b) => b.length - a.length);
    if (longest !== undefined) return [text.slice(0, end - longest.length), longest];
  }
  return [text, undefined];
}

const utf8 = (ids: readonly number[]) => Buffer.from(ids).toString("utf8");

describe("a stop string", () => {
  it("is the one that is complete first, wherever others begin", () => {
    expect(firstStopString("xabcd", ["abcd", "bc"])).toEqual({ string: "bc", start: 2, end: 4 });
    expect(firstStopString("xabc", ["bc", "abc"])).toEqual({ string: "abc", start: 1, end: 4 });
    expect(firstStopString("xabc", ["d"])).toBeUndefined();
  });

  it("leaves the text before it, and the fewest tokens that hold that text", async () => {
    const letters = fc.array(fc.constantFrom("a", "b", "n", "é", "中", "🦙"), { maxLength: 12 });
    const parts = fc.array(fc.tuple(fc.nat(11), fc.integer({ min: 1, max: 4 })), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(letters, parts, async (written, places) => {
        const text = written.join("");
        const strings = places.map(([at, length]) => written.slice(at, at + length).join(""));
        const stop = strings.filter((string) => string !== "");
        const cut = await cutAtStop([...Buffer.from(text)], stop, async (ids) => utf8(ids));
        expect([cut.text, cut.stop]).toEqual(plainlyCut(text, stop));
        expect(utf8(cut.ids)).toBe(cut.text);
      }),
    );
  });

  it("may begin within a token, which then is the last one", async () => {
    const tokens = ["one ", "two\n", "\nthree"];
    const decode = async (ids: readonly number[]) => ids.map((id) => tokens[id]).join("");
    expect(await cutAtStop([0, 1, 2], ["\n\n"], decode)).toEqual({
      ids: [0, 1],
      text: "one two",
      stop: "\n\n",
    });
  });
});
