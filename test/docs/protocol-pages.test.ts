/** The protocol's reference tells of every service, method, message and field what its file does. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeProtocolPages } from "../../sdk/tools/docs/protocol-pages.js";
import { root } from "./support/pages.js";

const folder = mkdtempSync(join(tmpdir(), "lad-protocol-"));
const names = readdirSync(join(root, "proto/lad/v1")).map((name) => name.replace(".proto", ""));
const page = (name: string) => readFileSync(join(folder, `${name}.md`), "utf8");
const proto = (name: string) => readFileSync(join(root, "proto/lad/v1", `${name}.proto`), "utf8");

beforeAll(() => writeProtocolPages(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the pages of the protocol", () => {
  it("are one for each file, and an index of the services", () => {
    expect(readdirSync(folder).sort()).toEqual([...names, "index"].map((name) => `${name}.md`).sort());
    const services = names.flatMap((name) =>
      [...proto(name).matchAll(/^service (\w+)/gm)].map(([, each]) => each),
    );
    for (const service of services) expect(page("index")).toContain(`| [${service}](./`);
  });

  it.each(names)("have of %s every declaration, with all words of its comments", (name) => {
    const source = proto(name);
    const text = page(name)
      .replace(/\s+/g, " ")
      .replaceAll("&lt;", "<")
      .replaceAll("&#123;", "{")
      .replaceAll("\\|", "|");
    for (const [, declared] of source.matchAll(/^(?: {2})*(?:message|enum|service|rpc) (\w+)/gm)) {
      expect(text).toMatch(new RegExp(`## (\\w+\\.)*${declared} `));
    }
    for (const [, field] of source.matchAll(/^ +(?:repeated |optional )?[\w.]+ (\w+) = \d+/gm)) {
      expect(text).toMatch(new RegExp(`\\| \`${field}\` \\||## ${field} An option of`)); // or it extends an option
    }
    const comments = [
      ...source.matchAll(/((?:^ *\/\/.*\n)+) *(?:message|enum|rpc|service|repeated|optional|[\w.]+) +\w+/gm),
    ];
    for (const [, comment = ""] of comments) {
      const words = comment
        .replace(/^ *\/\/ ?/gm, "")
        .replace(/\s+/g, " ")
        .trim();
      expect(text).toContain(words);
    }
  });

  it("link a field's type to the page that has it, and say what streams and what may be repeated", () => {
    expect(page("worker")).toContain(
      "[LoadBaseRequest](./worker.md#loadbaserequest) → stream of [LoadBaseResponse]",
    );
    expect(page("worker")).toContain("[HandshakeResponse](./worker.md#handshakeresponse) · changes nothing");
    expect(page("worker")).toMatch(/\| `adapters` \| list of \[Adapter\]\(\.\/\w+\.md#adapter\) \| 9 \|/);
    expect(page("training")).toMatch(/\| One of `\w+`\./);
  });
});
