/** The report of a reproduction. */
import type { ReportSection } from "../report/parts/section.js";
import { Report } from "../report/report.js";
import { BUILD_VERSION } from "../version.js";
import { allHold, type Finding, type NamedClaim } from "./claims/claim.js";
import { claims } from "./claims/claims.js";
import type { Measured } from "./measured.js";
import { tracesOf } from "./pieces.js";
import { loadingOf, noiseOf, recipesOf, type Setting, variantsOf } from "./setting.js";

/** What a report is made of beside the measurements. */
export interface ReproductionReport {
  /** The command that makes it again. */
  readonly command: string | undefined;
  /** The SHA-256 of each data set, by what it is for. */
  readonly data: Readonly<Record<string, string>>;
  /** Versions of what computed. */
  readonly versions: Readonly<Record<string, string>>;
}

export function reproductionReport(
  measured: Measured,
  setting: Setting,
  { command, data, versions }: ReproductionReport,
): Report {
  const { bases, ranks, preset, steps, questions, iterations, seed } = setting;
  const report = new Report({
    title: "LAD, reproduced",
    about:
      "What the paper claims of LoRA-adapted diffusion, measured anew: every claim with its figure, its 95 % interval, and what the interval decides.",
    command,
    configuration: {
      ...{ bases, ranks, preset, steps, questions, iterations, seed },
      load: loadingOf(setting),
      variants: variantsOf(setting).map((variant) => ({
        ...variant,
        trainedUnder: noiseOf(setting, variant),
      })),
      recipes: recipesOf(setting),
    },
    versions: { lad: BUILD_VERSION, ...versions },
    seeds: { "weights, order and noise": seed },
    data: Object.entries(data).map(([name, sha256]) => ({ name, sha256 })),
  });
  for (const claim of claims) {
    const section = report.section(claim.title);
    judge(section, claim, claim.judge(measured, setting));
    claim.show(section, measured, setting);
  }
  addTraces(report, measured, setting);
  return report;
}

function addTraces(report: Report, measured: Measured, setting: Setting): void {
  const traces = tracesOf(setting).flatMap((piece) => measured.of(piece) ?? []);
  if (traces.length === 0) return;
  const section = report.section("How an answer comes about");
  for (const { trace } of traces) section.trace(trace);
}

const NOTHING = "Nothing was measured of it.";

const WORDS = new Map([
  [true, "holds"],
  [false, "does not hold"],
  [undefined, "undecided"],
]);

/** The verdict over all comparisons of a claim, and the comparisons. */
function judge(section: ReportSection, { title, source }: NamedClaim, findings: readonly Finding[]): void {
  const held = findings.filter(({ holds }) => holds).length;
  section.verdict({
    claim: title,
    holds: allHold(findings),
    because:
      findings.length === 0 ? NOTHING : `As ${source} says. ${held} of ${findings.length} comparisons hold.`,
  });
  if (findings.length === 0) return;
  section.table({
    title: "Comparisons",
    about:
      "A comparison holds if the whole interval lies where the claim says, and does not if all of it lies elsewhere.",
    columns: [
      { header: "what should hold", value: ({ claim }) => claim },
      { header: "verdict", value: ({ holds }) => WORDS.get(holds) },
      { header: "figure", value: ({ figure }) => figure },
      { header: "of", value: ({ unit }) => unit },
    ],
    rows: findings,
  });
}
