/** The addresses that both packages carry. All follow from `repository` of package.json, which is the project's to give. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the project is found. */
export interface Addresses {
  readonly repository: string;
  readonly homepage: string;
  readonly issues: string;
  readonly changelog: string;
}

/** Parts of an address that stand for somebody's own. */
const PLACEHOLDER =
  /^(example|owner|user|username|org|organization|name|repo|your(-\w+)*|todo|host|localhost)$/i;

/** The addresses; undefined while package.json has no repository that could be one. */
export function addressesOf(root: string): Addresses | undefined {
  if (addressProblems(root).length > 0) return undefined;
  const repository = (repositoryOf(root) ?? "").replace(/^git\+/, "").replace(/(\.git)?\/?$/, "");
  return {
    repository,
    homepage: `${repository}#readme`,
    issues: `${repository}/issues`,
    changelog: `${repository}/blob/HEAD/CHANGELOG.md`,
  };
}

/** Why package.json's repository cannot be published. */
export function addressProblems(root: string): string[] {
  const repository = repositoryOf(root);
  const remedy = `Give "repository": "https://…", where the project's sources are; homepage and bugs follow from it.`;
  if (repository === undefined || repository === "") return [`package.json has no repository. ${remedy}`];
  if (/[<>{}…]/.test(repository) || partsOf(repository).some((part) => PLACEHOLDER.test(part))) {
    return [`package.json's repository is ${repository}, a placeholder. ${remedy}`];
  }
  if (!/^(git\+)?https:\/\/[\w.-]+\.\w+\/[^\s?#]+$/.test(repository)) {
    return [`package.json's repository is ${repository}, no address of a repository. ${remedy}`];
  }
  return [];
}

/** package.json with the addresses, as it is published. */
export function manifestWith(text: string, { repository, homepage, issues }: Addresses): string {
  const added = {
    repository: { type: "git", url: `git+${repository}.git` },
    homepage,
    bugs: { url: issues },
  };
  return `${JSON.stringify({ ...JSON.parse(text), ...added }, null, 2)}\n`;
}

/** pyproject.toml with the addresses, as it is published. */
export function pyprojectWith(text: string, addresses: Addresses): string {
  const lines = Object.entries(addresses).map(([name, url]) => {
    return `${name[0]?.toUpperCase()}${name.slice(1)} = ${JSON.stringify(url)}\n`;
  });
  return `${text.trimEnd()}\n\n[project.urls]\n${lines.join("")}`;
}

/** The folders of an address, and its host's name with and without what stands behind its last dot. */
function partsOf(repository: string): string[] {
  const [host = "", ...folders] = repository.replace(/^[\w+]+:\/\//, "").split("/");
  const labels = host.split(".");
  const reserved = labels.includes("example") ? ["example"] : []; // RFC 2606
  return [host, labels.slice(0, -1).join("."), ...reserved, ...folders];
}

function repositoryOf(root: string): string | undefined {
  const { repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    repository?: string | { url?: string };
  };
  return typeof repository === "string" ? repository : repository?.url;
}
