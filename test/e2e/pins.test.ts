/** Answers that begin from a draft or in pieces, pins, and runs that go on from a frame, on a real worker. */
import {
  type Adapter,
  type AnswerState,
  type Base,
  draftOf,
  type Frame,
  gap,
  llada,
  type Policy,
  policyStep,
  type Runtime,
  refine,
  remask,
  type SampleOptions,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policies } from "../../sdk/src/method/policies/registered.js";
import { POLICY_KINDS, policyDefinition } from "../../sdk/src/method/policy.js";
import { collected, EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
const question = { messages: "Say abc.", seed: 5, temperature: 0.8 };
const KINDS = POLICY_KINDS.filter((kind) => policyDefinition(kind).denoising !== undefined);

let runtime: Runtime;
let base: Base;
let adapter: Adapter;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 3, targets: ["q_proj", "v_proj", "down_proj"], seed: 7 });
  const training = { windowTokens: 48, batchSize: 4, warmupSteps: 1, learningRate: 0.1, steps: 12 };
  await adapter.train({ ...training, data: EXAMPLES }).result();
});

afterAll(() => runtime?.close());

function policyOf(kind: string): Policy {
  return policies[kind as Exclude<keyof typeof policies, "ar">]({
    iterations: 5,
    ...(kind === "entropy-bound" && { anneal: false }), // a canvas draws at the call's temperature
  } as never);
}

describe("a run with pins and the same loop over a canvas", () => {
  const pinned = [1, 2, 5, 8];
  const cases: [string, Policy][] = [
    ...KINDS.map((kind): [string, Policy] => [kind, policyOf(kind)]),
    ["remask by confidence", remask({ iterations: 5, positions: "confidence", earlyStop: false })],
    ["remask, locked", remask({ iterations: 5, retention: "locked", sharpness: 1 })],
    ["llada, blocks", llada({ iterations: 6, blockTokens: 3 })],
  ];

  it.each(cases)("give the same tokens, and leave the pins: %s", async (_, policy) => {
    const draft = await draftIds();
    const { drawMethod, denoising } = policyDefinition(policy.kind);
    const isEditable = denoising?.changesVisible !== false;
    const pieces = draft.map((id, p) => (pinned.includes(p) ? [id] : isEditable ? draftOf([id]) : gap(1)));
    const settings = { ...question, answerTokens: draft.length + 2, policy };
    const run = adapter.sample({ ...settings, answer: pieces, strength: 1 });
    const frames = await collected(run);

    const tail = Array<number>(2).fill(base.eosTokenId);
    const end = [draft.length, draft.length + 1];
    const open = { draft: [...draft, ...tail], pinned: [...pinned, ...end] };
    const forwards = denoising?.forwards(policy, draft.length - pinned.length) ?? 0;
    const { earlyStop = false } = policy as { earlyStop?: boolean };
    const drawn = { ...question, drawMethod, answerTokens: draft.length + 2, earlyStop };
    const canvas = adapter.canvas({ ...drawn, ...open, iterations: forwards });
    const { beginning } = canvas;
    const masked = beginning.ids.map((_, p) => !isEditable && beginning.pinned?.[p] !== true);
    const ids = beginning.ids.map((id, p) => (masked[p] ? base.maskTokenId : id));
    let state: AnswerState = { ...beginning, ids, masked };
    canvas.write(state);
    const rounds: (readonly number[])[] = [];
    while (!canvas.settled && rounds.length < frames.length) {
      const { sampled, next } = policyStep(state, await canvas.predict(), policy);
      rounds.push(sampled.ids);
      state = next;
      canvas.write(state);
    }
    expect(frames.map(({ answer }) => answer)).toEqual(rounds);
    const answer = await run.result();
    expect(answer.canvasIds).toEqual((await canvas.answer()).canvasIds);
    expect(answer.pinned).toEqual([...pinned, ...end]);
    for (const position of pinned) {
      expect(frames.map((frame) => frame.answer[position])).toEqual(frames.map(() => draft[position]));
      expect(answer.canvasIds[position]).toBe(draft[position]);
    }
  });
});

describe("an answer in pieces", () => {
  it("has its text where it was put, gaps of the lengths asked for, and ends behind the last piece", async () => {
    const answer = ["The capital is ", gap(4), ", and ", draftOf("nothing"), " else."];
    const { canvasIds, pinned, gaps, text } = await adapter.sample({ ...question, answer }).result();
    const encoded = await Promise.all(["The capital is ", ", and ", " else."].map((t) => base.encode(t)));
    const [first = [], second = [], third = []] = encoded;
    const drafted = (await base.encode("nothing")).length;
    expect(canvasIds.slice(0, first.length)).toEqual(first);
    const start = first.length + 4 + second.length + drafted;
    expect(canvasIds.slice(start)).toEqual([...third, base.eosTokenId]);
    expect(pinned).toHaveLength(first.length + second.length + third.length + 1);
    expect(gaps).toEqual([4]);
    expect(text.endsWith(" else.")).toBe(true);
  });

  it("samples no end in a gap that a pin follows, and may end in the last one", async () => {
    const bias = { eosBias: 1000, policy: refine({ iterations: 2 }) };
    const answer = [gap(3), "b", gap(3)];
    const { canvasIds } = await adapter.sample({ ...question, ...bias, answer }).result();
    expect(canvasIds.slice(0, 3).filter((id) => base.stopTokenIds.includes(id))).toEqual([]);
    expect(canvasIds.slice(4).every((id) => base.stopTokenIds.includes(id))).toBe(true);
  });

  it("finds the length of a gap: the answer that the base finds likeliest of those of all lengths", async () => {
    const policy = refine({ iterations: 2 });
    const run = adapter.sampleMany({
      canvases: [
        { messages: "Say b." },
        { messages: "Say abc.", answer: ["a", gap({ upTo: 3 }), "c"] },
        { messages: "Say abc.", answer: ["a", gap({ upTo: 2 }), "c"], seed: 3 },
      ],
      policy,
      temperature: 0.5,
      answerTokens: 8,
    });
    const told = await collected(run);
    const tried = told.flatMap((event) => (event.type === "answer" && event.canvas === 1 ? [event] : []));
    const [plain, best, seeded] = await run.result();
    expect(tried.map(({ gaps }) => gaps?.[0]).sort()).toEqual([1, 2, 3]);
    const { ids: prompt } = await base.render("Say abc.");
    const scores = await base.score({
      items: tried.map(({ ids }) => ({ ids: [...prompt], continuation: [...ids, base.eosTokenId] })),
    });
    const most = Math.max(...scores.map(({ logLikelihood }) => logLikelihood));
    expect(tried[scores.findIndex(({ logLikelihood }) => logLikelihood === most)]).toEqual(best);
    expect(best?.canvas).toBe(1);
    expect(seeded?.gaps?.[0]).toBeLessThan(3);
    const same = { policy, temperature: 0.5, answerTokens: 8 };
    const alone = await adapter.sample({ messages: "Say b.", ...same }).result();
    expect(plain).toEqual(alone);
    const single = await adapter
      .sample({ messages: "Say abc.", answer: ["a", gap({ upTo: 2 }), "c"], seed: 3, ...same })
      .result();
    expect({ ...seeded, canvas: 0 }).toEqual(single);
  });

  it("is refused where it does not fit, with the number that does", async () => {
    const sample = (options: Partial<SampleOptions>) => adapter.sample({ ...question, ...options }).result();
    await expect(sample({ answer: ["abc", gap(4)], answerTokens: 3 })).rejects.toThrow(
      "answer is 7 tokens: the answer has 3 (answerTokens). Give answerTokens: 7 or more.",
    );
    await expect(sample({ draft: "abcdef", answerTokens: 8, canvasTokens: 4 })).rejects.toThrow(
      "draft is 6 tokens: the canvas in hand has 4 (canvasTokens)",
    );
    const many = { answer: Array.from({ length: 3 }, () => gap({ upTo: 12 })) };
    await expect(sample(many)).rejects.toThrow("more than 256 combinations");
  });
});

describe("a draft", () => {
  it("is what the first forward sees, with MASK behind it", async () => {
    const draft = await draftIds();
    const settings = { ...question, answerTokens: 12, draft, strength: 0, policy: remask({ iterations: 8 }) };
    const [frame, ...rest] = await collected(adapter.sample(settings));
    expect(rest).toEqual([]);
    expect(frame?.iteration).toBe(7);
    const input = [...draft, ...Array<number>(12 - draft.length).fill(base.maskTokenId)];
    const { ids } = await base.render(question.messages);
    const canvases = [{ ids: [...ids, ...input], answerStart: ids.length, seed: 5 }];
    const [predicted] = await adapter.predict({ canvases, temperature: 0.8, iteration: 7 });
    expect(frame?.answer).toEqual(predicted?.ids);
  });

  it.each([
    [1, 8],
    [0.5, 4],
    [0.25, 2],
    [0, 1],
  ])("takes with strength %d %i of 8 iterations", async (strength, forwards) => {
    const policy = remask({ iterations: 8, earlyStop: false });
    const settings = { ...question, answerTokens: 9, draft: "abcdef", policy };
    const { iterations } = await adapter.sample({ ...settings, strength }).result();
    expect(iterations).toBe(forwards);
    if (strength === 0.5) expect((await adapter.sample(settings).result()).iterations).toBe(forwards);
  });
});

describe("a run goes on from a frame", () => {
  const cases: [string, Partial<SampleOptions>][] = [
    ...KINDS.map((kind): [string, Partial<SampleOptions>] => [kind, { policy: policyOf(kind) }]),
    ["a canvas that grows", { policy: remask({ iterations: 6, growTokens: 3 }) }],
    ["canvas by canvas", { policy: remask({ iterations: 4, earlyStop: false }), canvasTokens: 4 }],
    [
      "canvas by canvas, a prompt of the causal base",
      { policy: refine({ iterations: 3 }), canvasTokens: 4, attention: "causal-prefix" },
    ],
  ];

  it.each(cases)("as if it had not ended: %s", async (_, options) => {
    const settings = { messages: "Say abc.", temperature: 0.8, answerTokens: 11, ...options };
    const run = adapter.sample(settings);
    const frames = await collected(run);
    const answer = await run.result();
    for (const [number, frame] of frames.entries()) {
      const stored = JSON.parse(JSON.stringify(frame)) as Frame;
      const rest = adapter.sample({ ...settings, from: stored });
      expect(await collected(rest)).toEqual(frames.slice(number + 1));
      expect(await rest.result()).toEqual(answer);
    }
  });

  it("with what was written and pinned meanwhile", async () => {
    const settings = { ...question, answerTokens: 6, policy: refine({ iterations: 4, earlyStop: false }) };
    const frames = await collected(adapter.sample(settings));
    const state = frames[1]?.state;
    if (state === undefined) throw new Error("a frame has its state");
    const [id = 0] = await base.encode("z");
    const from = { ...state, ids: [id, ...state.ids.slice(1)], pinned: state.pinned.map((_, p) => p === 0) };
    const answer = await adapter.sample({ ...settings, from }).result();
    expect(answer.canvasIds[0]).toBe(id);
    expect(answer.pinned).toEqual([0]);
    const again = await adapter.sample({ ...settings, from: { ...from, iteration: 0 } }).result();
    expect(again.iterations).toBe(6);
  });

  it("from the beginning of a schedule again, with strength", async () => {
    const settings = { ...question, answerTokens: 6, policy: remask({ iterations: 4, earlyStop: false }) };
    const last = (await collected(adapter.sample(settings))).at(-1);
    if (last === undefined) throw new Error("a run has frames");
    const frames = await collected(adapter.sample({ ...settings, from: last, strength: 0.5 }));
    expect(frames.map(({ iteration }) => iteration)).toEqual([2, 3]);
  });
});

async function draftIds(): Promise<number[]> {
  return [...(await base.encode("the answer"))];
}
