/**
 * The TypeScript of pages, compiled against the package's real types.
 *
 * A page is one program: each block stands in the scope of those before it. What a block uses of the package is imported for it where it does
 * not import it itself, and a few names stand for what a reader has at hand, such as `adapter`.
 */
import { join } from "node:path";
import ts from "typescript";
import { type Fence, type Page, root } from "./pages.js";

/** What every page may take for granted. */
const AT_HAND = `
declare const runtime: import("lad").Runtime;
declare const base: import("lad").Base;
declare const adapter: import("lad").Adapter;
declare const messages: string;
declare const data: import("lad").DataSource;
declare const token: string;
declare const run: (point: { rank: number }) => Promise<number>;
declare const rows: { readonly rank: number }[];
declare const series: import("lad/report").ChartSeries[];
declare const figure: import("lad").Estimate;
declare const other: string;
`;

const PACKAGES = { lad: "sdk/src/index.ts", "lad/report": "sdk/src/report/index.ts" };

const options = compilerOptions();
/** The package itself, read once. */
let packages: ts.Program | undefined;

/** What the compiler says of the blocks, as `docs/guide.md:12: …`. */
export function typeErrors(pages: readonly Page[]): string[] {
  packages ??= ts.createProgram(
    Object.values(PACKAGES).map((path) => join(root, path)),
    options,
  );
  const exported = exportedNames(packages);
  const withCode = pages.filter(({ fences }) => fences.some(({ language }) => language === "ts"));
  const composed = new Map(
    withCode.map((page) => [join(root, `${page.path.replaceAll("/", "+")}.ts`), composition(page, exported)]),
  );
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => composed.get(path)?.text ?? readFile(path);
  host.fileExists = (path) => composed.has(path) || fileExists(path);
  host.getSourceFile = (path, language, ...rest) => {
    const made = composed.get(path);
    return made === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, made.text, language);
  };
  const program = ts.createProgram([...composed.keys()], options, host, packages);
  return [...composed].flatMap(([path, { page, lines }]) => {
    const source = program.getSourceFile(path);
    if (source === undefined) throw new Error(`${path} was not compiled.`);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (each) => {
        const { line } = source.getLineAndCharacterOfPosition(each.start ?? 0);
        const message = ts.flattenDiagnosticMessageText(each.messageText, "\n");
        return `${page.path}:${lines[line] ?? "imports"}: ${message}`;
      },
    );
  });
}

/** A page's program as text, with all its imports at the top. */
export function programOf(fences: readonly Fence[]): string {
  return compose(fences)
    .map(({ text }) => text)
    .join("\n");
}

interface Line {
  readonly text: string;
  /** Its number in the page; undefined of what is not the page's own. */
  readonly line?: number;
}

interface Composition {
  readonly page: Page;
  readonly text: string;
  readonly lines: readonly (number | undefined)[];
}

function composition(page: Page, exported: ReadonlyMap<string, string>): Composition {
  const fences = page.fences.filter(({ language }) => language === "ts");
  const body = compose(fences, (inner) => [{ text: "async function page() {" }, ...inner, { text: "}" }]);
  const own = new Set(importsOf(fences).flatMap(({ names }) => names));
  const used = identifiers(fences.map(({ code }) => code).join("\n"));
  const wanted = [...exported].filter(([name]) => used.has(name) && !own.has(name));
  const head = wanted.map(([name, from]) => `import { ${name} } from "${from}";`);
  const lines = [
    ...head.map((text): Line => ({ text })),
    ...AT_HAND.split("\n").map((text): Line => ({ text })),
    ...body,
  ];
  return { page, text: lines.map(({ text }) => text).join("\n"), lines: lines.map(({ line }) => line) };
}

const IMPORT = /^import [^;]*? from "[^"]+";$/gms;

/** The blocks within each other, behind the imports of all of them, each once. */
function compose(fences: readonly Fence[], wrapped = (inner: Line[]) => inner): Line[] {
  const imports = importsOf(fences).map(({ text, line }) => ({ text, line }));
  const blocks = fences.map(({ code, line }) => {
    const rest = code.replace(IMPORT, (all) => all.replace(/[^\n]/g, "")).trimEnd();
    return rest.split("\n").map((text, i): Line => ({ text, line: line + i }));
  });
  const [first = [], ...others] = blocks;
  const inner = [
    ...first,
    ...others.flatMap((block) => [{ text: "{" }, ...block]),
    ...others.map(() => ({ text: "}" })),
  ];
  return [...imports, ...wrapped(inner)];
}

/** Every import of the blocks with what it names; of what is imported twice, the first. */
function importsOf(fences: readonly Fence[]): { text: string; line: number; names: readonly string[] }[] {
  const known = new Set<string>();
  return fences.flatMap(({ code, line }) =>
    [...code.matchAll(IMPORT)].flatMap(({ 0: text, index }) => {
      const at = line + code.slice(0, index).split("\n").length - 1;
      const list = /\{([^}]*)\}/.exec(text)?.[1];
      if (list === undefined) {
        const isNew = !known.has(text);
        known.add(text);
        return isNew ? [{ text, line: at, names: [] }] : [];
      }
      const items = list
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "" && !known.has(item));
      for (const item of items) known.add(item);
      const names = items.map((item) => item.replace(/^type /, "").replace(/.* as /, ""));
      return items.length === 0
        ? []
        : [
            {
              text: text.replace(/\{[^}]*\}/, `{ ${items.join(", ")} }`).replaceAll("\n", " "),
              line: at,
              names,
            },
          ];
    }),
  );
}

/** Each name that the package exports, types too, with what it is imported from. */
function exportedNames(program: ts.Program): Map<string, string> {
  const checker = program.getTypeChecker();
  const names = new Map<string, string>();
  for (const [name, path] of Object.entries(PACKAGES).reverse()) {
    const source = program.getSourceFile(join(root, path));
    const symbol = source && checker.getSymbolAtLocation(source);
    for (const each of symbol === undefined ? [] : checker.getExportsOfModule(symbol))
      names.set(each.name, name);
  }
  return names;
}

function identifiers(code: string): Set<string> {
  const scanner = ts.createScanner(ts.ScriptTarget.ES2022, true, ts.LanguageVariant.Standard, code);
  const found = new Set<string>();
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    if (token === ts.SyntaxKind.Identifier) found.add(scanner.getTokenText());
  }
  return found;
}

function compilerOptions(): ts.CompilerOptions {
  const path = join(root, "tsconfig.json");
  const { config } = ts.readConfigFile(path, ts.sys.readFile) as { config: { include?: unknown } };
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files: ["sdk/src/index.ts"] },
    ts.sys,
    root,
  );
  return { ...options, verbatimModuleSyntax: false, isolatedModules: false };
}
