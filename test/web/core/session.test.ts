import { describe, expect, it } from "vitest";
import { fromLink, fromText, type Session, toLink } from "../../../sdk/web/src/core/session.js";

const session: Session = {
  version: 1,
  asked: { question: "Wie heißt die Hauptstadt?\n東京 👩‍🚀 ÿ", seed: 7, draft: "Sie heißt …" },
  lanes: [
    {
      model: "saved:rank-64",
      policy: { kind: "remask", iterations: 8 },
      edits: [
        { at: 2, edit: { kind: "pin", from: 1, to: 3, on: true } },
        { at: 4, edit: { kind: "write", from: 0, to: 1, ids: [5], pieces: [" x"] } },
      ],
    },
  ],
};

describe("a session's link", () => {
  it("holds all of it, in letters that an address may have", () => {
    const link = toLink(session);
    expect(link).toMatch(/^[\w-]+$/);
    expect(fromLink(link)).toEqual(session);
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "YWJj"],
    ["another version", toLink({ ...session, version: 2 } as unknown as Session)],
    ["no lane", toLink({ ...session, lanes: [] })],
    ["four lanes", toLink({ ...session, lanes: Array(4).fill(session.lanes[0]) })],
    ["no question", toLink({ ...session, asked: { seed: 1 } } as unknown as Session)],
  ])("is refused where it is %s", (_, link) => {
    expect(() => fromLink(link)).toThrow();
  });

  it("is read from a file too", () => {
    expect(fromText(JSON.stringify(session, undefined, 2))).toEqual(session);
  });
});
