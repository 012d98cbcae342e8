/** A policy and its settings, made from what the policies say of themselves. */
import type { About } from "../../../src/demo/messages.js";
import type { OptionDescription, PolicyDescription } from "../../../src/index.js";
import type { PolicyValues } from "../core/session.js";

type Values = Record<string, unknown>;

/** The policies that can sample a model. */
export function usable(policies: readonly PolicyDescription[], model: string): readonly PolicyDescription[] {
  return policies.filter((policy) => (model === "base" ? policy.samplesBases : policy.samplesAdapters));
}

/** By what the base alone answers at first. */
export function basePolicy({ baseDenoises }: About): PolicyValues {
  return { kind: baseDenoises ? "remask" : "ar" };
}

export function PolicyForm({
  name,
  policies,
  values,
  onChange,
}: {
  /** Tells forms apart on a page. */
  name: string;
  policies: readonly PolicyDescription[];
  values: PolicyValues;
  onChange: (values: PolicyValues) => void;
}) {
  const policy = policies.find(({ kind }) => kind === values.kind);
  const given = values as unknown as Values;
  const set = (option: OptionDescription, value: unknown) => {
    const { [option.name]: _, ...rest } = given;
    const isDefault = value === option.default || value === undefined;
    onChange((isDefault ? rest : { ...rest, [option.name]: value }) as unknown as PolicyValues);
  };
  const count = Object.keys(given).length - 1;
  return (
    <>
      <label class="field">
        <span>Policy</span>
        <select
          value={values.kind}
          onChange={(event) => onChange({ kind: event.currentTarget.value } as PolicyValues)}
        >
          {policies.map(({ kind }) => (
            <option key={kind} value={kind}>
              {kind}
            </option>
          ))}
        </select>
      </label>
      <p class="about">{policy?.about}</p>
      {policy !== undefined && policy.options.length > 0 && (
        <details class="settings">
          <summary>Settings{count > 0 ? ` (${count} changed)` : ""}</summary>
          {policy.options
            .filter(({ type }) => type !== "other")
            .map((option) => (
              <OptionField
                key={`${policy.kind}.${option.name}`}
                id={`${name}-${policy.kind}-${option.name}`}
                option={option}
                value={given[option.name] ?? option.default}
                onChange={(value) => set(option, value)}
              />
            ))}
        </details>
      )}
    </>
  );
}

function OptionField({
  id,
  option,
  value,
  onChange,
}: {
  id: string;
  option: OptionDescription;
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  const help = `${id}-help`;
  const shared = { id, "aria-describedby": help };
  return (
    <div class="option">
      <label for={id}>{spelled(option.name)}</label>
      {option.type === "boolean" ? (
        <input
          {...shared}
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      ) : option.type === "choice" ? (
        <select {...shared} value={String(value)} onChange={(event) => onChange(event.currentTarget.value)}>
          {option.choices?.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...shared}
          type="number"
          min={option.min}
          max={option.max}
          step={option.type === "integer" ? 1 : "any"}
          value={String(value)}
          onChange={(event) => {
            const { valueAsNumber } = event.currentTarget;
            onChange(Number.isNaN(valueAsNumber) ? undefined : valueAsNumber);
          }}
        />
      )}
      <small id={help}>{option.about}</small>
    </div>
  );
}

/** `noiseStart` as "noise start". */
function spelled(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
