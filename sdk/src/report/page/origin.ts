/** Everything that is needed to make a report again. */
import { stringify as yaml } from "yaml";
import type { ReportOptions } from "../parts/about.js";
import { type TablePart, tablePart } from "../parts/table.js";
import { type Node, tag } from "./node.js";
import { foldNode } from "./part.js";
import { tableNode } from "./table.js";

const ID = "origin";

export function originNode(options: ReportOptions): Node | undefined {
  const { command, configuration, versions, seeds, data } = options;
  const parts = [
    command === undefined ? undefined : commandNode(command),
    data === undefined || data.length === 0 ? undefined : tableNode(dataTable(data), `${ID}-data`),
    named("Versions", versions),
    named("Seeds", seeds),
    configuration === undefined ? undefined : foldNode("Configuration", yaml(configuration)),
  ].filter((part) => part !== undefined);
  if (parts.length === 0) return undefined;
  return tag("section", { "aria-labelledby": ID }, tag("h2", { id: ID }, "How to make it again"), parts);
}

function commandNode(command: string): Node {
  return tag(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "The command" },
    tag("pre", { class: "command" }, tag("code", {}, command)),
  );
}

function dataTable(data: NonNullable<ReportOptions["data"]>): TablePart {
  return tablePart({
    title: "Data",
    columns: [
      { header: "data", value: ({ name }) => name },
      { header: "source", value: ({ source }) => source },
      { header: "examples", value: ({ examples }) => examples },
      { header: "SHA-256", value: ({ sha256 }) => sha256 },
    ],
    rows: data,
  });
}

function named(title: string, values: Readonly<Record<string, string | number | bigint>> | undefined) {
  if (values === undefined) return undefined;
  const rows = Object.entries(values).map(([name, value]) =>
    tag("div", {}, tag("dt", {}, name), tag("dd", {}, String(value))),
  );
  return tag("div", {}, tag("h3", {}, title), tag("dl", { class: "facts" }, rows));
}
