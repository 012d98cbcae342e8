/** Columns of other names, read as the parts of an example. */
import { filledText } from "../../checks/fields.js";
import { fieldsOf } from "../../checks/fields-of.js";

/**
 * Which columns of a row are read as what: `{ instruction: "question", output: "answer" }`. Those that are named are read, and no others.
 * It names `messages`, or else `output` with `instruction` or `input`.
 */
export interface ExampleColumns {
  /** The column of system messages. Default: none. */
  readonly system?: string | undefined;
  /** The column of what is asked. Default: none. */
  readonly instruction?: string | undefined;
  /** The column of what instructions are about. Default: none. */
  readonly input?: string | undefined;
  /** The column of answers. Default: none. */
  readonly output?: string | undefined;
  /** The column of chats. Default: none. */
  readonly messages?: string | undefined;
  /** The column of whole numbers that key the examples' noise. Default: none, the rows' numbers. */
  readonly id?: string | undefined;
  /** The column of how many times an example's loss counts. Default: none, once. */
  readonly weight?: string | undefined;
  /** The column of where examples come from. Default: none. */
  readonly source?: string | undefined;
}

const column = () => filledText("a column's name").optional();

export const exampleColumns = fieldsOf<ExampleColumns>()({
  system: column(),
  instruction: column(),
  input: column(),
  output: column(),
  messages: column(),
  id: column(),
  weight: column(),
  source: column(),
});

/** What `fields` takes: columns from which examples can be made. */
export const readColumns = exampleColumns.refine(
  ({ messages, output, instruction, input, system }) =>
    messages === undefined
      ? output !== undefined && (instruction ?? input) !== undefined
      : (output ?? instruction ?? input ?? system) === undefined,
  { error: "an object that names the column of messages, or those of output and of instruction or input" },
);
