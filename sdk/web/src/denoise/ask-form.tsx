/** The question, and what all lanes have in common. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { About } from "../../../src/demo/messages.js";
import type { Asked } from "../core/session.js";

export function AskForm({
  about,
  asked,
  onAsk,
}: {
  about: About;
  asked: Asked;
  onAsk: (asked: Asked) => void;
}) {
  const form = useRef<HTMLFormElement>(null);
  const shown = useSignal(0);
  useEffect(() => {
    const fields = form.current;
    if (fields === null) return;
    const set = (name: string, value: unknown) => {
      const field = fields.elements.namedItem(name) as HTMLInputElement | HTMLTextAreaElement;
      field.value = value === undefined ? "" : String(value);
    };
    for (const name of ["question", "seed", "answerTokens", "temperature", "draft", "strength"] as const) {
      set(name, asked[name]);
    }
  }, [asked]);
  const another = () => {
    shown.value = (shown.value + 1) % about.examples.length;
    const field = form.current?.elements.namedItem("question") as HTMLTextAreaElement;
    field.value = about.examples[shown.value]?.question ?? "";
  };
  return (
    <form
      ref={form}
      class="ask card"
      onSubmit={(event) => {
        event.preventDefault();
        onAsk(read(new FormData(event.currentTarget)));
      }}
    >
      <label for="question">Question</label>
      <textarea
        id="question"
        name="question"
        rows={2}
        required
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey) return;
          event.preventDefault();
          form.current?.requestSubmit();
        }}
      />
      <div class="bar">
        <button type="submit" class="primary">
          Ask
        </button>
        {about.examples.length > 1 && (
          <button type="button" onClick={another}>
            Another question
          </button>
        )}
        <details class="settings">
          <summary>Draft, seed and length</summary>
          <div class="option wide">
            <label for="draft">draft</label>
            <textarea id="draft" name="draft" rows={2} aria-describedby="draft-help" />
            <small id="draft-help">
              A first version of the answer, to be mended. Empty: from masks alone.
            </small>
          </div>
          <NumberField
            name="strength"
            help="How much of the draft is masked again, from 0 to 1. Empty: half."
            max={1}
          />
          <NumberField name="seed" help="Of the draws; all lanes have the same." isRequired />
          <NumberField
            name="answerTokens"
            help="The answer's length in tokens. Empty: what the model was trained for."
          />
          <NumberField name="temperature" help="Divides the logits. Empty: 0, the most probable token." />
        </details>
      </div>
    </form>
  );
}

function NumberField({
  name,
  help,
  max,
  isRequired = false,
}: {
  name: string;
  help: string;
  max?: number;
  isRequired?: boolean;
}) {
  const step = name === "seed" || name === "answerTokens" ? 1 : "any";
  return (
    <div class="option">
      <label for={name}>{name === "answerTokens" ? "answer tokens" : name}</label>
      <input
        id={name}
        name={name}
        type="number"
        min={name === "answerTokens" ? 1 : 0}
        max={max}
        step={step}
        required={isRequired}
        aria-describedby={`${name}-help`}
      />
      <small id={`${name}-help`}>{help}</small>
    </div>
  );
}

function read(given: FormData): Asked {
  const text = (name: string) => String(given.get(name) ?? "");
  const number = (name: string) => (text(name) === "" ? undefined : Number(text(name)));
  const draft = text("draft").trim();
  return {
    question: text("question"),
    seed: number("seed") ?? 1,
    answerTokens: number("answerTokens"),
    temperature: number("temperature"),
    draft: draft === "" ? undefined : draft,
    strength: draft === "" ? undefined : number("strength"),
  };
}
