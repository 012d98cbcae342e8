import { describe, expect, it } from "vitest";
import { fromLink, toLink } from "../../../sdk/web/src/core/links.js";
import { type Session, sessionOf, type TurnSession } from "../../../sdk/web/src/core/session.js";
import { noiseSession } from "../../../sdk/web/src/noise/session.js";

const turn: TurnSession = {
  asked: { question: "Wie heißt die Hauptstadt?\n東京 👩‍🚀 ÿ", seed: 7, draft: "Sie heißt …" },
  lanes: [
    {
      model: "saved:rank-64",
      policy: { kind: "remask", iterations: 8 },
      edits: [
        { at: 2, edit: { kind: "pin", from: 1, to: 3, on: true } },
        { at: 4, edit: { kind: "write", from: 0, to: 1, ids: [5], pieces: [" x"] } },
        { at: 6, edit: { kind: "draft", ids: [5, 6], pieces: [" x", "東"] } },
      ],
    },
  ],
};
const session: Session = {
  version: 1,
  turns: [turn, { ...turn, asked: { question: "?", seed: 1 } }],
  shown: 1,
};
const of = (turns: readonly object[], shown = 0) => toLink({ version: 1, turns, shown });

describe("a session's link", () => {
  it("holds all of it, in letters that an address may have", () => {
    const link = toLink(session);
    expect(link).toMatch(/^[\w-]+$/);
    expect(sessionOf(fromLink(link))).toEqual(session);
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "YWJj"],
    ["another version", toLink({ ...session, version: 2 })],
    ["no question", of([])],
    ["one that is shown but not there", of([turn], 1)],
    ["no lane", of([{ ...turn, lanes: [] }])],
    ["four lanes", of([{ ...turn, lanes: Array(4).fill(turn.lanes[0]) }])],
    ["a turn without a question", of([{ ...turn, asked: { seed: 1 } }])],
    ["more turns than a session has", of(Array(21).fill(turn))],
  ])("is refused where it is %s", (_, link) => {
    expect(() => sessionOf(fromLink(link))).toThrow();
  });

  it("is read from a file too", () => {
    expect(sessionOf(JSON.stringify(session, undefined, 2))).toEqual(session);
  });
});

describe("a session of the noise lab", () => {
  const levels = { masked: 0.3, swapped: 0, duplicated: 0, shifted: 1 };
  const noise = {
    version: 1,
    text: "a",
    question: "b",
    levels,
    seed: 2,
    isRepaired: true,
    lanes: turn.lanes,
  };

  it("comes back from its link", () => {
    expect(noiseSession(fromLink(toLink(noise)))).toEqual(noise);
  });

  it("is refused without a level, or where it is one of Denoise", () => {
    expect(() => noiseSession(JSON.stringify({ ...noise, levels: { masked: 1 } }))).toThrow("noise lab");
    expect(() => noiseSession(JSON.stringify(session))).toThrow("noise lab");
    expect(() => sessionOf(JSON.stringify(noise))).toThrow("no session");
  });
});
