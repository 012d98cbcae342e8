/** The options of a choice among those who can be asked, by what they are. */
import type { DemoModel } from "../../../src/demo/messages.js";

const GROUPS: readonly (readonly [string, readonly DemoModel["kind"][]])[] = [
  ["Kept adapters", ["saved"]],
  ["Runs and their steps", ["run", "step"]],
  ["Checkpoints", ["checkpoint"]],
  ["Without an adapter", ["base"]],
];

export function ModelOptions({ models }: { models: readonly DemoModel[] }) {
  return GROUPS.map(([label, kinds]) => {
    const some = models.filter(({ kind }) => kinds.includes(kind));
    if (some.length === 0) return null;
    return (
      <optgroup key={label} label={label}>
        {some.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </optgroup>
    );
  });
}
