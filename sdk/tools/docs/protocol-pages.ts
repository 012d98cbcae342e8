/** The protocol's reference: a page for each file of proto/lad/v1, made of its comments. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  ScalarType,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { execa } from "execa";
import { inFolder } from "../checkout.js";
import { type Comments, commentsOf } from "./protocol-comments.js";

/** Writes the pages and their index into `folder`, which is made anew. */
export async function writeProtocolPages(folder: string): Promise<void> {
  const files = await protocol();
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const pageOf = new Map(files.flatMap((file) => declared(file).map(({ typeName }) => [typeName, file])));
  for (const file of files) await writeFile(join(folder, `${nameOf(file)}.md`), page(file, pageOf));
  await writeFile(join(folder, "index.md"), index(files));
}

type Pages = ReadonlyMap<string, DescFile>;

/** The files of lad.v1, with their comments. */
async function protocol(): Promise<DescFile[]> {
  const words = ["build", "proto", "--output", "-#format=binpb"];
  const { stdout } = await execa("buf", words, { ...inFolder(), stdout: "pipe", encoding: "buffer" });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, stdout));
  return [...registry.files]
    .filter(({ proto }) => proto.package === "lad.v1")
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function index(files: readonly DescFile[]): string {
  const rows = files.flatMap((file) => {
    const comments = commentsOf(file.proto);
    return file.services.map(
      (service) =>
        `| [${service.name}](./${nameOf(file)}.md) | ${firstSentence(comments.of(service))} | ${service.methods.length} |`,
    );
  });
  return [
    "# The protocol",
    "",
    "Client and worker meet at the messages of `proto/lad/v1`, over gRPC. Any language with gRPC can speak to a worker: these pages are its",
    "reference, made of the files' own comments. Server reflection has the same descriptors.",
    "",
    "| service | what it does | methods |",
    "| --- | --- | --- |",
    ...rows,
    "",
    `Messages that several services share: ${files.map((file) => `[${nameOf(file)}](./${nameOf(file)}.md)`).join(" · ")}.`,
    "",
  ].join("\n");
}

function page(file: DescFile, pages: Pages): string {
  const comments = commentsOf(file.proto);
  const parts = [
    `# ${nameOf(file)}.proto`,
    ...file.services.map((service) => serviceText(service, comments, pages)),
    ...file.messages.flatMap((message) => messageTexts(message, comments, pages)),
    ...file.enums.map((each) => enumText(each, comments)),
    text(comments.extensions),
    ...file.extensions.map(
      (each) => `## ${each.name}\n\nAn option of \`${each.extendee.name}\`. ${text(comments.of(each))}`,
    ),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function serviceText(service: DescService, comments: Comments, pages: Pages): string {
  const methods = service.methods.map((method) => {
    const [input, output] = [method.input, method.output].map((message) => linkTo(message.typeName, pages));
    const streams = method.methodKind.includes("server") || method.methodKind.startsWith("bidi");
    const sends = method.methodKind.startsWith("client") || method.methodKind.startsWith("bidi");
    const shape = `${sends ? "stream of " : ""}${input} → ${streams ? "stream of " : ""}${output}`;
    return `### ${method.name}\n\n${shape}${repeatable(method)}\n\n${text(comments.of(method))}`;
  });
  return [`## ${service.name}`, text(comments.of(service)), ...methods].join("\n\n");
}

function repeatable({ idempotency }: DescMethod): string {
  if (idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) return " · changes nothing";
  return idempotency === MethodOptions_IdempotencyLevel.IDEMPOTENT ? " · may be repeated" : "";
}

function messageTexts(message: DescMessage, comments: Comments, pages: Pages): string[] {
  const rows = message.fields.map((field) => {
    const choice = field.oneof === undefined ? "" : `One of \`${field.oneof.name}\`. `;
    const told = `${choice}${inline(comments.of(field))}`;
    return `| \`${field.name}\` | ${typeOf(field, pages)} | ${field.number} | ${told} |`;
  });
  const table =
    rows.length === 0
      ? "No fields."
      : ["| field | type | number | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
  const title = message.typeName.replace("lad.v1.", "");
  const own = [`## ${title}`, text(comments.of(message)), table].filter((part) => part !== "").join("\n\n");
  const nested = message.nestedMessages.filter(({ proto }) => proto.options?.mapEntry !== true);
  return [
    own,
    ...nested.flatMap((inner) => messageTexts(inner, comments, pages)),
    ...message.nestedEnums.map((inner) => enumText(inner, comments)),
  ];
}

function enumText(each: DescEnum, comments: Comments): string {
  const rows = each.values.map(
    (value) => `| \`${value.name}\` | ${value.number} | ${inline(comments.of(value))} |`,
  );
  const head = [`## ${each.typeName.replace("lad.v1.", "")}`, text(comments.of(each))]
    .filter(Boolean)
    .join("\n\n");
  return `${head}\n\n| value | number | meaning |\n| --- | --- | --- |\n${rows.join("\n")}`;
}

function typeOf(field: DescField, pages: Pages): string {
  switch (field.fieldKind) {
    case "list":
      return `list of ${field.listKind === "scalar" ? scalar(field.scalar) : linkTo(nested(field), pages)}`;
    case "map": {
      const value = field.mapKind === "scalar" ? scalar(field.scalar) : linkTo(nested(field), pages);
      return `map from ${scalar(field.mapKey)} to ${value}`;
    }
    case "scalar":
      return scalar(field.scalar);
    default:
      return linkTo(nested(field), pages);
  }
}

function nested({ message, enum: choice }: DescField): string {
  return message?.typeName ?? choice?.typeName ?? "";
}

function scalar(type: ScalarType): string {
  return `\`${ScalarType[type]?.toLowerCase()}\``;
}

function linkTo(typeName: string, pages: Pages): string {
  const name = typeName.replace("lad.v1.", "");
  const file = pages.get(typeName);
  return file === undefined
    ? `\`${name}\``
    : `[${name}](./${nameOf(file)}.md#${name.toLowerCase().replaceAll(".", "")})`;
}

/** Every message and enumeration of a file, those within others too. */
function declared({
  messages,
  enums,
}: {
  messages: readonly DescMessage[];
  enums: readonly DescEnum[];
}): (DescMessage | DescEnum)[] {
  const inner = messages.flatMap((each) =>
    declared({ messages: each.nestedMessages, enums: each.nestedEnums }),
  );
  return [...messages, ...enums, ...inner];
}

function nameOf(file: DescFile): string {
  return basename(file.name);
}

/** A comment as a paragraph: what looks like HTML or a template of Vue is text. */
function text(comment: string): string {
  return comment
    .split("\n")
    .map((line) => line.trim())
    .join("\n")
    .trim()
    .replace(/[<{]/g, (sign) => (sign === "<" ? "&lt;" : "&#123;"));
}

function inline(comment: string): string {
  return text(comment)
    .replace(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|");
}

function firstSentence(comment: string): string {
  return inline(comment).split(/(?<=\.) /)[0] ?? "";
}
