/** The comments of a .proto file, by what they stand at. */
import type { AnyDesc } from "@bufbuild/protobuf";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** Answers which comment stands before, or behind, a declaration. */
export interface Comments {
  /** Empty where there is none. */
  of(declaration: AnyDesc): string;
  /** Those of the blocks that extend a message of another file, the ones apart before them too. */
  readonly extensions: string;
}

/** Numbers of the fields of the descriptors that a path leads through (google/protobuf/descriptor.proto). */
const IN_FILE = { message: 4, enum: 5, service: 6, extension: 7 } as const;
const IN_MESSAGE = { field: 2, message: 3, enum: 4, extension: 6 } as const;
const IN_ENUM = 2;
const IN_SERVICE = 2;

/** The comments of a file. */
export function commentsOf(file: FileDescriptorProto): Comments {
  const locations = file.sourceCodeInfo?.location ?? [];
  const byPath = new Map(
    locations.map(({ path, leadingComments, trailingComments }) => [
      path.join("."),
      leadingComments || trailingComments,
    ]),
  );
  const extensions = locations
    .filter(({ path }) => path.join(".") === String(IN_FILE.extension))
    .flatMap(({ leadingDetachedComments, leadingComments }) => [...leadingDetachedComments, leadingComments])
    .join("\n");
  return { of: (declaration) => byPath.get(pathOf(declaration).join(".")) ?? "", extensions };
}

function pathOf(declaration: AnyDesc): number[] {
  switch (declaration.kind) {
    case "message":
    case "enum":
    case "extension": {
      const { parent, file, kind } = declaration;
      if (parent === undefined) return [IN_FILE[kind], indexIn(listOf(file.proto, kind), declaration.proto)];
      return [...pathOf(parent), IN_MESSAGE[kind], indexIn(listOf(parent.proto, kind), declaration.proto)];
    }
    case "field":
      return [
        ...pathOf(declaration.parent),
        IN_MESSAGE.field,
        indexIn(declaration.parent.proto.field, declaration.proto),
      ];
    case "enum_value":
      return [
        ...pathOf(declaration.parent),
        IN_ENUM,
        indexIn(declaration.parent.proto.value, declaration.proto),
      ];
    case "service":
      return [IN_FILE.service, indexIn(declaration.file.proto.service, declaration.proto)];
    case "rpc":
      return [
        ...pathOf(declaration.parent),
        IN_SERVICE,
        indexIn(declaration.parent.proto.method, declaration.proto),
      ];
    default:
      return [];
  }
}

type Listing = {
  readonly messageType?: readonly object[];
  readonly nestedType?: readonly object[];
  readonly enumType: readonly object[];
  readonly extension: readonly object[];
};

function listOf(proto: Listing, kind: "message" | "enum" | "extension"): readonly object[] {
  if (kind === "enum") return proto.enumType;
  return kind === "extension" ? proto.extension : (proto.messageType ?? proto.nestedType ?? []);
}

function indexIn(list: readonly object[], wanted: object): number {
  return list.indexOf(wanted);
}
