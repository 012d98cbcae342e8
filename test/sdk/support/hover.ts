import { dirname, join } from "node:path";
import ts from "typescript";

/** One property of a type that a package exports. */
export interface HoveredProperty {
  /** The type's exported name. */
  readonly type: string;
  /** The property's own name, behind those of the nameless objects that it stands in: `connection.address`. */
  readonly path: string;
  /** What the editor says of its meaning, on one line. */
  readonly text: string;
  readonly isOptional: boolean;
}

/**
 * Every property of every type that a package exports, with what an editor shows where a program names it: asked of TypeScript's
 * language service.
 *
 * @param index - the declarations of what is exported
 */
export function hoveredProperties(index: string): HoveredProperty[] {
  const user = new UserProgram(index);
  const service = ts.createLanguageService(user.host());
  return user.places(service).map(({ type, path, isOptional, file, at }) => {
    const { documentation } = service.getQuickInfoAtPosition(file, at) ?? {};
    const text = ts.displayPartsToString(documentation).replace(/\s+/g, " ").trim();
    return { type, path, text, isOptional };
  });
}

/** A property, and where an editor would be asked for it. */
interface Place extends Omit<HoveredProperty, "text"> {
  readonly file: string;
  readonly at: number;
}

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
  types: ["node"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
};

/** A program of somebody who uses the package. */
class UserProgram {
  readonly path: string;
  readonly #index: string;
  readonly #folder: string;
  #text = "";
  #version = 0;

  constructor(index: string) {
    this.#index = index;
    this.#folder = dirname(index);
    this.path = join(this.#folder, "user.ts");
  }

  host(): ts.LanguageServiceHost {
    const own = (path: string) => (path === this.path ? this.#text : undefined);
    return {
      getCompilationSettings: () => OPTIONS,
      getScriptFileNames: () => [this.path, this.#index],
      getScriptVersion: (path) => (path === this.path ? String(this.#version) : "0"),
      getScriptSnapshot: (path) => {
        const text = own(path) ?? ts.sys.readFile(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => this.#folder,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      fileExists: (path) => own(path) !== undefined || ts.sys.fileExists(path),
      readFile: (path) => own(path) ?? ts.sys.readFile(path),
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
    };
  }

  /** Names every property of every exported type; those of objects that have no name of their own are asked for where they stand. */
  places(service: ts.LanguageService): Place[] {
    const program = service.getProgram() as ts.Program;
    const checker = program.getTypeChecker();
    const module = checker.getSymbolAtLocation(program.getSourceFile(this.#index) as ts.SourceFile);
    this.#text = 'import * as lad from "./index.js";\n';
    const exported = checker.getExportsOfModule(module as ts.Symbol);
    const places = exported.flatMap((symbol) => this.#placesOf(symbol, checker));
    this.#version++;
    return places;
  }

  #placesOf(exported: ts.Symbol, checker: ts.TypeChecker): Place[] {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
    const { name } = exported;
    if ((symbol.flags & ts.SymbolFlags.Function) !== 0) {
      return this.#nameless(checker.getTypeOfSymbol(symbol), name, "", checker);
    }
    if ((symbol.flags & ts.SymbolFlags.Type) === 0) return [];
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    if (type.isUnion()) return this.#nameless(type, name, "", checker);
    const given = anyForEach(symbol);
    this.#text += `declare const a${name}: lad.${name}${given};\n`;
    return this.#propertiesOf(type, checker).flatMap((property) => {
      this.#text += `a${name}.`;
      const place = { file: this.path, at: this.#text.length };
      this.#text += `${property.name};\n`;
      const inner = checker.getTypeOfSymbol(property);
      return [
        { type: name, path: property.name, isOptional: isOptional(property), ...place },
        ...this.#nameless(inner, name, `${property.name}.`, checker),
      ];
    });
  }

  /** Properties of the objects that are written out where they are used or given to a function. */
  #nameless(type: ts.Type, owner: string, within: string, checker: ts.TypeChecker): Place[] {
    const [call] = type.getCallSignatures();
    if (call !== undefined) {
      return call.parameters.flatMap((given) =>
        this.#nameless(checker.getTypeOfSymbol(given), owner, `${within}(${given.name}).`, checker),
      );
    }
    if (checker.isArrayType(type)) {
      return checker
        .getTypeArguments(type as ts.TypeReference)
        .flatMap((item) => this.#nameless(item, owner, within, checker));
    }
    if (type.isUnionOrIntersection()) {
      return type.types.flatMap((part) => this.#nameless(part, owner, within, checker));
    }
    if (type.symbol?.name !== "__type" || this.#declares(type.aliasSymbol)) return [];
    return this.#propertiesOf(type, checker).flatMap((property) => {
      const declaration = property.declarations?.find((one) => this.#isPublic(one)) as ts.PropertySignature;
      const path = `${within}${property.name}`;
      const place = { file: declaration.getSourceFile().fileName, at: declaration.name.getStart() };
      return [
        { type: owner, path, isOptional: isOptional(property), ...place },
        ...this.#nameless(checker.getTypeOfSymbol(property), owner, `${path}.`, checker),
      ];
    });
  }

  /** What the package itself declares of an object. */
  #propertiesOf(type: ts.Type, checker: ts.TypeChecker): ts.Symbol[] {
    if ((type.flags & ts.TypeFlags.Object) === 0) return [];
    return checker
      .getPropertiesOfType(type)
      .filter((property) => /^\w+$/.test(property.name) && !property.name.startsWith("__"))
      .filter((property) => property.declarations?.some((declaration) => this.#isPublic(declaration)));
  }

  #isPublic(declaration: ts.Declaration): boolean {
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
    const isShown = (ts.getCombinedModifierFlags(declaration) & hidden) === 0;
    return isShown && this.#isOwn(declaration);
  }

  #declares(symbol: ts.Symbol | undefined): boolean {
    return symbol?.declarations?.some((declaration) => this.#isOwn(declaration)) ?? false;
  }

  #isOwn(declaration: ts.Declaration): boolean {
    return declaration.getSourceFile().fileName.startsWith(`${this.#folder}/`);
  }
}

/** `<any, any>` for a type with two parameters. */
function anyForEach({ declarations }: ts.Symbol): string {
  const [declaration] = declarations as ts.InterfaceDeclaration[];
  const parameters = declaration?.typeParameters ?? [];
  return parameters.length === 0 ? "" : `<${parameters.map(() => "any").join(", ")}>`;
}

function isOptional(property: ts.Symbol): boolean {
  return (property.flags & ts.SymbolFlags.Optional) !== 0;
}
