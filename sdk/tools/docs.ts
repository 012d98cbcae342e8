/** Writes the reference of the published types to `docs/api`: `npm run docs`. */
import { execa } from "execa";
import { inFolder } from "./checkout.js";

const { failed } = await execa("typedoc", [], { ...inFolder(), reject: false });
process.exitCode = failed ? 1 : 0;
