import {
  arcChallenge,
  arcEasy,
  type Benchmark,
  gsm8k,
  hellaswag,
  mmlu,
  multipleChoice,
  type Row,
  runBenchmark,
  shortAnswer,
} from "lad";
import { beforeAll, describe, expect, it } from "vitest";
import { chosenIn } from "../../../sdk/src/benchmarks/choices.js";
import { itemsOf } from "../../../sdk/src/benchmarks/items.js";
import { lastNumber } from "../../../sdk/src/benchmarks/scoring/number.js";
import type { Base } from "../../../sdk/src/index.js";
import { DataService } from "../../../sdk/src/wire.js";
import { type StubWorker, stubWorker } from "../support/stub-worker.js";

let worker: StubWorker;
let base: Base;

beforeAll(async () => {
  worker = await stubWorker();
  base = worker.base;
});

const items = async (benchmark: Benchmark) => (await itemsOf(base, benchmark, undefined)).items;

const CHOICES = { text: ["ice", "steam"], label: ["A", "B"] };
const ARC = [
  { id: "x", question: "What is cold?", choices: CHOICES, answerKey: "A" },
  { id: "y", question: "What is hot?", choices: { ...CHOICES, label: ["1", "2"] }, answerKey: "2" },
];
const MMLU = ["a_b", "c", "a_b"].map((subject, i) => ({
  question: ` Q${i}? `,
  subject,
  choices: ["w", "x", "y", "z"],
  answer: i,
}));

describe("a question as it is put", () => {
  it.each([arcEasy, arcChallenge])("of ARC goes on after `Answer:`, and a chat sees letters", async (arc) => {
    const [first, second] = await items(arc({ data: ARC }));
    expect(first?.prompt).toBe("Question: What is cold?\nAnswer:");
    expect(first?.question.choices).toEqual(["ice", "steam"]);
    expect(second?.messages).toEqual([{ role: "user", content: "What is hot?\nA: ice\nB: steam" }]);
    expect([first?.question.right, second?.question.right]).toEqual([0, 1]);
    expect([first?.id, second?.id]).toEqual(["x", "y"]);
  });

  it("of MMLU names its subject, and its choices are letters", async () => {
    const [first] = await items(mmlu({ data: MMLU }));
    expect(first?.prompt).toBe(
      "The following are multiple choice questions (with answers) about a b.\n\nQ0?\nA. w\nB. x\nC. y\nD. z\nAnswer:",
    );
    expect(first?.question.choices).toEqual(["A", "B", "C", "D"]);
    expect(first?.messages.at(-1)?.content).toBe("Q0?\nA: w\nB: x\nC: y\nD: z");
  });

  it("of HellaSwag has no marks, whether its context is in one column or in two", async () => {
    const row = { activity_label: "Tea", endings: ["Pour it [step] out.", "Sing  it."], label: "1" };
    const [one, two] = await items(
      hellaswag({
        data: [
          { ...row, ctx: "Boil [title] water. he" },
          { ...row, ctx: "unused", ctx_a: "Boil water.", ctx_b: "he STOPS" },
        ],
      }),
    );
    expect(one?.prompt).toBe("Tea: Boil. water. he");
    expect(two?.prompt).toBe("Tea: Boil water. He stops");
    expect(two?.question).toMatchObject({ choices: ["Pour it out.", "Sing it."], right: 1 });
  });

  it("of GSM8K is the question alone", async () => {
    const [only] = await items(gsm8k({ data: [{ question: "2 + 2?", answer: "It is 4.\n#### 4" }] }));
    expect(only?.messages).toEqual([{ role: "user", content: "2 + 2?" }]);
  });

  it("of one's own file is made of the columns that are named", async () => {
    const row = { stem: "Cold?", opts: ["fire", "ice"], key: "B", n: 3 };
    const own = {
      data: [row],
      question: "{stem} ({n})",
      prompt: "{stem}\n->",
      choices: "opts",
      answer: "key",
    };
    const [only] = await items(multipleChoice(own));
    expect(only?.prompt).toBe("Cold?\n->");
    expect(only?.messages.at(-1)?.content).toBe("Cold? (3)\nA: fire\nB: ice");
    expect(only?.question.right).toBe(1);
    const [short] = await items(shortAnswer({ data: [row], question: "{stem}", answer: "key" }));
    expect(short?.question).toMatchObject({ asked: "Cold?", answer: "B" });
    await expect(items(multipleChoice({ data: [row], choices: "opts", answer: "key" }))).rejects.toThrow(
      "data[0].question is not a text. Name another column; this row has stem, opts, key, n.",
    );
    const wrong = [{ ...row, key: "C" }];
    await expect(items(multipleChoice({ ...own, data: wrong }))).rejects.toThrow("is none of the choices");
  });

  it("is an error that names the row and what it lacks", async () => {
    const { answerKey: _, ...lacking } = ARC[1] as Row;
    await expect(items(arcEasy({ data: [ARC[0] as Row, lacking] }))).rejects.toThrow("data[1].answerKey");
    await expect(items(arcEasy({ data: [{ ...ARC[0], answerKey: "E" }] }))).rejects.toThrow(
      "Give one of A, B.",
    );
    await expect(items(arcEasy({ data: [ARC[0] as Row, ARC[0] as Row] }))).rejects.toThrow("data[1].id is x");
    await expect(items(gsm8k({ data: [{ question: "?", answer: "none" }] }))).rejects.toThrow("no number");
    await expect(items(mmlu({ data: [{ ...MMLU[0], answer: 4 }] }))).rejects.toThrow("there are 4 choices");
    await expect(
      items(hellaswag({ data: [{ activity_label: "", ctx: "", endings: ["a"], label: "" }] })),
    ).rejects.toThrow("there are 1 endings");
  });
});

describe("shots", () => {
  const data = Array.from({ length: 12 }, (_, i) => ({
    id: `q${i}`,
    question: `Q${i}?`,
    choices: CHOICES,
    answerKey: "B",
  }));

  it("are other questions with their answers, the same for the same seed", async () => {
    const [one] = await items(arcEasy({ data, shots: 3, seed: 5 }));
    const [same] = await items(arcEasy({ data, shots: 3, seed: 5 }));
    const [other] = await items(arcEasy({ data, shots: 3, seed: 6 }));
    expect(one).toEqual(same);
    expect(one?.prompt).not.toBe(other?.prompt);
    expect(one?.prompt).toMatch(/^(Question: Q\d+\?\nAnswer: steam\n\n){3}Question: Q0\?\nAnswer:$/);
    expect(one?.messages.map(({ role }) => role).join()).toBe(
      "user,assistant,user,assistant,user,assistant,user",
    );
    expect(one?.messages[1]?.content).toBe("B: steam");
  });

  it("never are the question itself, and of MMLU are of its subject", async () => {
    for (const { prompt, id } of await items(arcEasy({ data, shots: 11 }))) {
      expect(prompt.split(`Q${id.slice(1)}?`)).toHaveLength(2);
    }
    const of = await items(mmlu({ data: MMLU.filter(({ subject }) => subject === "a_b"), shots: 1 }));
    expect(of[0]?.prompt).toContain("about a b.\n\nQ2?\nA. w\nB. x\nC. y\nD. z\nAnswer: C\n\nQ0?");
    await expect(items(mmlu({ data: MMLU, shots: 2 }))).rejects.toThrow("only 1 other rows of a_b");
  });

  it("may be drawn from rows of their own", async () => {
    const [first] = await items(arcEasy({ data: ARC, shots: 1, shotData: [data[0] as Row] }));
    expect(first?.prompt).toBe("Question: Q0?\nAnswer: steam\n\nQuestion: What is cold?\nAnswer:");
  });
});

describe("what is read in an answer", () => {
  const written = ["A: a plant", "B: the sun", "C: ice"];
  it.each([
    ["B: the sun", 1],
    [" b: The sun. ", 1],
    ["C", 2],
    ["(C) ice", 2],
    ["C.", 2],
    ["C\nbecause it is cold", 2],
    ["The answer is B.", 1],
    ["The correct answer is (C), ice", 2],
    ["D: nothing", undefined],
    ["A plant needs it", undefined],
    ["The answer is A plant", undefined],
    ["ice", undefined],
    ["", undefined],
  ])("%j names choice %s", (answer, choice) => {
    expect(chosenIn(answer, written)).toBe(choice);
  });

  it.each([
    ["so 3 + 4 = 7", 7],
    ["$1,234.50 in all.", 1234.5],
    ["-3 degrees", -3],
    ["#### 72", 72],
    ["12.", 12],
    ["1, 2, and 3", 3],
    ["none", undefined],
  ])("%j has the last number %s", (answer, number) => {
    expect(lastNumber(answer)).toBe(number);
  });
});

describe("rows of the hub", () => {
  it("are read through the worker", async () => {
    const asked: unknown[] = [];
    const own = await stubWorker();
    own.transport.onStream(DataService.readHubRows, async function* (request) {
      asked.push(request);
      yield { rows: [JSON.stringify(ARC[0])] };
      yield { rows: [JSON.stringify(ARC[1])] };
    });
    const hub = { hub: { name: "allenai/ai2_arc", config: "ARC-Easy", split: "test" } };
    const read = await itemsOf(own.base, arcEasy({ data: hub }), undefined);
    expect(read.items.map(({ id }) => id)).toEqual(["x", "y"]);
    expect(asked[0]).toMatchObject({ hub: { name: "allenai/ai2_arc", split: "test", maxExamples: 0n } });
    expect(read.data).toBe((await itemsOf(base, arcEasy({ data: ARC }), undefined)).data);
  });
});

describe("a benchmark run's options", () => {
  const models = () => ({ adapter: worker.adapter });
  it.each([
    [{ by: "number" }, "arc-easy is not judged so"],
    [{ by: "likelihood", temperature: 1 }, "by likelihood nothing is sampled"],
    [{ by: "likelihood", attention: "full" }, "the causal likelihood is that of a causal model"],
    [{ by: "likelihood", likelihood: "pseudo", attention: "causal" }, "full, prefix, causal-prefix"],
    [{ by: "letter", policy: "ar" }, "the autoregressive baseline runs without an adapter"],
    [{ models: {} }, "at least one"],
    [{ models: { autoregressive: 1 } }, "none of them autoregressive"],
    [{ models: { a: 1 } }, "it is no model"],
    [{ itemsAtOnce: 0 }, "an integer from 1 to 1024"],
  ])("reject %j", async (options, message) => {
    const given = { benchmark: arcEasy({ data: ARC }), models: models(), ...options } as never;
    await expect(runBenchmark(given)).rejects.toThrow(message);
  });
});
