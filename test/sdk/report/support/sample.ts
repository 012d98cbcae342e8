/** A report with invented figures that has every kind of part, to look at and to test with. */
import {
  frontierChart,
  lineChart,
  type MeasuredFigure,
  Report,
  type Trace,
  type TraceFrame,
} from "../../../../sdk/src/report/index.js";

const RANKS = [4, 16, 64];
const ITERATIONS = [1, 2, 4, 8, 16, 32, 64];

/** The sample; with a text in place of every name that a model or a user could have given. */
export function sampleReport(name: (own: string) => string = (own) => own): Report {
  const report = new Report({
    title: name("The paper's claims in miniature"),
    about: name(
      "Three sizes and two ranks, the same data and the same steps. Every figure has its n and a 95 % interval.",
    ),
    command: name("npx tsx examples/reproduce-lad.ts --quick --report docs/reproduction"),
    configuration: {
      base: name("tiny"),
      adapter: { rank: RANKS, targets: ["q_proj", "v_proj"] },
      steps: 400,
    },
    versions: { lad: "0.1.0", protocol: 2, torch: name("2.13.0") },
    seeds: { adapter: 1, training: 7, sampling: 2n ** 60n },
    data: [
      {
        name: "training",
        source: name("train.jsonl"),
        examples: 4096,
        sha256: "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea",
      },
      {
        name: "held out",
        source: "heldout.jsonl",
        examples: 256,
        sha256: "9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab",
      },
    ],
  });
  report
    .section(name("Rank and size"))
    .text(
      name(
        "Adapters of every rank were trained on each base with the same seeds. The loss is the cross-entropy of corrupted answer tokens.",
      ),
    )
    .facts({
      bases: 3,
      adapters: 9,
      "steps each": 400,
      "training tokens": 1_536_000,
      "exact match": share(0.41, 256),
    })
    .verdict({
      claim: name("Higher ranks end at a lower validation CE."),
      holds: true,
      figure: { value: -0.212, interval: [-0.251, -0.174], n: 256, by: "paired bootstrap" },
      of: "nats, rank 64 less rank 4",
      because: "The interval of the paired difference lies below 0 on all three bases.",
    })
    .plot(
      lineChart({
        title: name("Loss over training"),
        about: "Means over 10 steps.",
        x: { label: "step" },
        y: { label: "CE of corrupted tokens", unit: "nats" },
        series: RANKS.map((rank, i) => ({ name: name(`rank ${rank}`), points: losses(i) })),
      }),
    )
    .plot(
      lineChart({
        title: "Validation CE against rank",
        x: { label: "rank", scale: "log" },
        y: { label: "validation CE", unit: "nats" },
        series: ["tiny, 0.7 M", "small, 2.5 M", "medium, 5 M"].map((size, i) => ({
          name: size,
          points: RANKS.map((x, j) => ({ x, y: around(1.42 - 0.21 * i - 0.09 * j, 0.035, 256) })),
        })),
      }),
    )
    .table({
      title: name("Adapters"),
      about: "Validation CE over 256 held-out examples.",
      columns: [
        { header: name("base"), value: ({ base }) => name(base) },
        { header: "rank", value: ({ rank }) => rank },
        { header: "trainable", value: ({ trainable }) => trainable },
        { header: "validation CE", unit: "nats", value: ({ ce }) => ce },
        { header: "exact match", form: "percent", value: ({ match }) => match },
        { header: "memory", form: "bytes", value: ({ bytes }) => bytes },
      ],
      rows: ["tiny", "small", "medium"].flatMap((base, i) =>
        RANKS.map((rank, j) => ({
          base,
          rank,
          trainable: (i + 1) * rank * 2048,
          ce: around(1.42 - 0.21 * i - 0.09 * j, 0.035, 256),
          match: rank === 4 && i === 0 ? undefined : share(0.18 + 0.1 * i + 0.06 * j, 256),
          bytes: (i + 1) * rank * 24_576,
        })),
      ),
    });
  report
    .section("More iterations")
    .verdict({
      claim: "Perplexity falls with iterations while distinct-2 stays.",
      holds: undefined,
      figure: { value: -0.04, interval: [-0.11, 0.02], n: 120, by: "bootstrap" },
      of: "distinct-2, 64 iterations less 1",
      because: "The interval of distinct-2 includes 0, but so does that of the fall expected by chance.",
    })
    .plot(overIterations("Perplexity against iterations", "perplexity", 5.8, -0.6))
    .plot(overIterations("Distinct-2 against iterations", "distinct-2", 0.62, -0.004))
    .plot(
      lineChart({
        title: "CE by noise",
        x: { label: "noise", scale: "category" },
        y: { label: "CE", unit: "nats" },
        series: ["lad", "cover"].map((kind, i) => ({
          name: `trained with ${kind}`,
          points: ["mask", "swap", "duplicate", "shift"].map((x, j) => ({
            x,
            y: around(0.5 + 0.17 * j - 0.1 * i, 0.06, 90),
          })),
        })),
      }),
    );
  report
    .section("Which policy")
    .verdict({
      claim: "Self-refining is faster than re-masking.",
      holds: false,
      figure: { value: 0.98, interval: [0.91, 1.06], n: 256, by: "paired bootstrap" },
      of: "forwards of refine over those of remask",
      because: "Early stops make them equal on answers of this length.",
    })
    .plot(
      frontierChart({
        title: "Exact match against forwards",
        about: "Up and to the left is better. The dotted line joins what nothing cheaper reaches.",
        x: { label: "forwards an answer", scale: "log" },
        y: { label: "exact match", form: "percent" },
        points: frontier(name),
      }),
    )
    .trace(sampleTrace(name));
  report
    .section("Samples")
    .fold(name("An answer of rank 64"), name("The river runs to the sea, and the sea to the sky."));
  return report;
}

/** An answer in which MASK gives way to words. */
export function sampleTrace(name: (own: string) => string = (own) => own): Trace {
  const words = [
    "The",
    " river",
    " runs",
    " to",
    " the",
    " sea",
    ",",
    " and",
    " the",
    " sea",
    " to",
    " the",
    " sky",
    ".",
    "·",
    "·",
  ];
  const order = [0, 3, 13, 5, 1, 8, 14, 6, 2, 11, 15, 9, 4, 12, 7, 10];
  const frames = Array.from(
    { length: 8 },
    (_, i): TraceFrame => ({
      iteration: i + 1,
      cells: words.map((word, at) => {
        const since = Math.floor(order.indexOf(at) / 2);
        if (since > i) return { text: "", state: "masked" };
        return { text: name(word), state: since === i ? "changed" : "same" };
      }),
    }),
  );
  return { title: name("remask, 8 iterations"), prompt: name("Where does the river run?"), frames };
}

function overIterations(title: string, label: string, from: number, slope: number) {
  return lineChart({
    title,
    x: { label: "iterations", scale: "log" },
    y: { label },
    series: ["remask", "refine"].map((policy, i) => ({
      name: policy,
      points: ITERATIONS.map((x) => ({
        x,
        y: around(from + slope * Math.log2(x) * (1 - 0.35 * i) + 0.03 * i * from, 0.04 * from, 120),
      })),
    })),
  });
}

function losses(index: number) {
  return Array.from({ length: 40 }, (_, i) => {
    const step = 10 * (i + 1);
    const y = 1.1 - 0.12 * index + 5 * Math.exp(-step / (60 - 8 * index)) + 0.08 * Math.sin(7.3 * i + index);
    return { x: step, y };
  });
}

function frontier(name: (own: string) => string) {
  const of = (series: string, scale: number, top: number, counts: readonly number[]) =>
    counts.map((count) => ({
      label: name(`${series} ${count}`),
      series: name(series),
      x: count,
      y: share(top * (1 - Math.exp(-count / scale)), 256),
    }));
  return [
    ...of("remask", 9, 0.56, [4, 8, 16, 32]),
    ...of("refine", 6, 0.49, [2, 4, 8, 16]),
    ...of("threshold", 4, 0.58, [3, 5, 9]),
    ...of("entropy bound", 5, 0.61, [6, 11]),
    ...of("llada", 30, 0.6, [16, 64]),
    { label: "base, ar", x: 22, y: share(0.97, 256) },
    { label: "speculative", x: 5, y: share(0.97, 256) },
  ];
}

function around(value: number, half: number, n: number): MeasuredFigure {
  return { value, interval: [value - half, value + half], n, by: "bootstrap" };
}

function share(value: number, n: number): MeasuredFigure {
  const half = 1.96 * Math.sqrt((value * (1 - value)) / n);
  return { value, interval: [Math.max(0, value - half), Math.min(1, value + half)], n, by: "wilson" };
}
