import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GrowingText } from "../../../sdk/src/endpoint/asking/growing-text.js";
import { firstStopString } from "../../../sdk/src/method/answer-end.js";

describe("a text that is sent as it grows", () => {
  it("is sent once, piece by piece", () => {
    const text = new GrowingText();
    expect([text.more("He"), text.more("He"), text.more("Hello"), text.rest("Hello!")]).toEqual([
      "He",
      "",
      "llo",
      "!",
    ]);
  });

  it("waits for the whole of a letter, and sends what is none at the end", () => {
    const text = new GrowingText();
    expect([text.more("n\uFFFD"), text.more("né"), text.rest("né\uFFFD")]).toEqual(["n", "é", "\uFFFD"]);
  });

  it("refuses to be another one than it began", () => {
    const text = new GrowingText();
    text.more("He");
    expect(() => text.rest("She")).toThrow("does not begin with what was sent");
  });

  it("is, however it grows, what it is cut before a stop string, of which nothing is ever sent", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c") });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(letters, stops, fc.array(fc.nat(9), { maxLength: 9 }), (whole, stop, places) => {
        const cut = whole.slice(0, firstStopString(whole, stop)?.start);
        const text = new GrowingText(stop);
        let sent = "";
        for (const place of places.sort((a, b) => a - b)) {
          sent += text.more(whole.slice(0, place));
          expect(cut.startsWith(sent)).toBe(true);
        }
        expect(sent + text.rest(cut)).toBe(cut);
      }),
    );
  });
});
