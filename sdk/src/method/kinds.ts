/** Values that are told apart by their kind, such as noises and policies, and the builders that make them. */

/** Makes a value of one kind from some of its options. */
export type Builder = (options?: never) => { readonly kind: string };

type OptionsOf<Build> = Build extends (options?: infer Options) => unknown ? Options : never;

/** A value as an object: its kind, and any of its options. */
export type OptionsByKind<Builders extends Readonly<Record<string, Builder>>> = {
  [Kind in keyof Builders]: OptionsOf<Builders[Kind]> & {
    /** Names it. */
    kind: Kind;
  };
}[keyof Builders];

/** What each builder's values are. */
export class Definitions<Definition> {
  readonly #definitions = new Map<Builder, Definition>();

  set(build: Builder, definition: Definition): void {
    this.#definitions.set(build, definition);
  }

  of(build: Builder): Definition {
    const definition = this.#definitions.get(build);
    if (definition === undefined) throw new Error(`${build.name} has no definition`);
    return definition;
  }

  [Symbol.iterator](): IterableIterator<[Builder, Definition]> {
    return this.#definitions.entries();
  }
}
