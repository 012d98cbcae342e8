import { dirname, join } from "node:path";
import ts from "typescript";

/** One property of a type that a package exports. */
export interface Property {
  /** The type's exported name. */
  readonly type: string;
  /** The property's own, behind those of the objects without a name that it stands in: `training.noise`. */
  readonly path: string;
  /** What an editor shows of its meaning. */
  readonly text: string;
  readonly isOptional: boolean;
}

/**
 * Every property of every type that a package exports, with what the TypeScript language service says where a program names it.
 *
 * @param index - the declarations of what is exported
 */
export function hoveredProperties(index: string): Property[] {
  const user = new UserProgram(index);
  const properties = user.types().flatMap((type) => user.properties(type));
  const service = ts.createLanguageService(user.host(properties));
  return properties.map(({ type, path, isOptional, at }) => {
    const { documentation } = service.getQuickInfoAtPosition(user.path, at) ?? {};
    const text = ts.displayPartsToString(documentation).replace(/\s+/g, " ");
    return { type, path, text, isOptional };
  });
}

interface NamedType {
  readonly name: string;
  /** With `any` for each of its parameters. */
  readonly written: string;
  readonly type: ts.Type;
}

interface Named extends Omit<Property, "text"> {
  /** Where the program names it. */
  at: number;
}

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
  types: ["node"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
};

/** A program of somebody who uses a package: it names every property of every exported type. */
class UserProgram {
  readonly path: string;
  readonly #index: string;
  readonly #folder: string;
  readonly #checker: ts.TypeChecker;
  readonly #module: ts.SourceFile;
  #text: string;

  constructor(index: string) {
    this.#index = index;
    this.#folder = dirname(index);
    this.path = join(this.#folder, "user.ts");
    this.#text = 'import * as lad from "./index.js";\n';
    const program = ts.createProgram([index], OPTIONS);
    this.#checker = program.getTypeChecker();
    this.#module = program.getSourceFile(index) as ts.SourceFile;
  }

  types(): NamedType[] {
    const checker = this.#checker;
    const module = checker.getSymbolAtLocation(this.#module) as ts.Symbol;
    return checker.getExportsOfModule(module).flatMap((exported) => {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
      const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
      if ((symbol.flags & ts.SymbolFlags.Type) === 0) return [];
      const type = checker.getDeclaredTypeOfSymbol(symbol);
      const [declaration] = symbol.declarations ?? [];
      const parameters = (declaration as ts.InterfaceDeclaration).typeParameters ?? [];
      const filled = parameters.length === 0 ? "" : `<${parameters.map(() => "any").join(", ")}>`;
      return [{ name: exported.name, written: `lad.${exported.name}${filled}`, type }];
    });
  }

  properties({ name, written, type }: NamedType): Named[] {
    const variable = `a${name}`;
    this.#text += `declare const ${variable}: ${written};\n`;
    return this.#propertiesOf(type).flatMap((symbol) => this.#named(symbol, name, variable, ""));
  }

  host(_properties: readonly Named[]): ts.LanguageServiceHost {
    const own = (path: string) => (path === this.path ? this.#text : undefined);
    return {
      getCompilationSettings: () => OPTIONS,
      getScriptFileNames: () => [this.path, this.#index],
      getScriptVersion: () => "1",
      getScriptSnapshot: (path) => {
        const text = own(path) ?? ts.sys.readFile(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => this.#folder,
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      fileExists: (path) => own(path) !== undefined || ts.sys.fileExists(path),
      readFile: (path) => own(path) ?? ts.sys.readFile(path),
      readDirectory: ts.sys.readDirectory,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
      realpath: (path) => ts.sys.realpath?.(path) ?? path,
    };
  }

  /** What the package itself declares of an object that is no list and no function. */
  #propertiesOf(type: ts.Type): ts.Symbol[] {
    if (type.isUnion()) return [];
    if ((type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) === 0) return [];
    return this.#checker.getPropertiesOfType(type).filter((symbol) => this.#isOwn(symbol));
  }

  #isOwn(symbol: ts.Symbol): boolean {
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
    return (symbol.declarations ?? []).some(
      (declaration) =>
        declaration.getSourceFile().fileName.startsWith(this.#folder) &&
        (ts.getCombinedModifierFlags(declaration) & hidden) === 0 &&
        /^\w+$/.test(symbol.name) &&
        !symbol.name.startsWith("__"),
    );
  }

  #named(symbol: ts.Symbol, type: string, object: string, within: string): Named[] {
    const path = `${within}${symbol.name}`;
    this.#text += `${object}.`;
    const at = this.#text.length;
    this.#text += `${symbol.name};\n`;
    const isOptional = (symbol.flags & ts.SymbolFlags.Optional) !== 0;
    const inner = this.#checker.getNonNullableType(this.#checker.getTypeOfSymbol(symbol));
    const nested = isNameless(inner)
      ? this.#propertiesOf(inner).flatMap((part) =>
          this.#named(part, type, `${object}.${symbol.name}!`, `${path}.`),
        )
      : [];
    return [{ type, path, isOptional, at }, ...nested];
  }
}

/** An object that is written out where it is used. */
function isNameless(type: ts.Type): boolean {
  if (type.aliasSymbol !== undefined) return false;
  if (type.isIntersection()) return true;
  return (
    type.symbol !== undefined &&
    (type.symbol.flags & ts.SymbolFlags.TypeLiteral) !== 0 &&
    type.getCallSignatures().length === 0
  );
}
