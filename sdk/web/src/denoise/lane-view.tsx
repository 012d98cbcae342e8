/** A lane: who answers how, the canvas, its player, and what can be done to a selection. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { About, Tokens } from "../../../src/demo/messages.js";
import { announce } from "../core/announce.js";
import { call } from "../core/api.js";
import { roomOf } from "../core/edits.js";
import type { Lane } from "../core/lane.js";
import { Canvas, type CanvasActions, type Span } from "../parts/canvas.js";
import { ModelOptions } from "../parts/model-options.js";
import { Player } from "../parts/player.js";
import { basePolicy, PolicyForm, usable } from "../parts/policy-form.js";
import { Stats } from "../parts/stats.js";
import { DraftForm } from "./draft-form.js";
import { TypeOver } from "./type-over.js";

export function LaneView({
  lane,
  number,
  about,
  clean,
  onRemove,
}: {
  lane: Lane;
  /** From 1. */
  number: number;
  about: About;
  /** What is to come out, where that is known. */
  clean?: readonly number[] | undefined;
  /** Undefined for the only lane. */
  onRemove: (() => void) | undefined;
}) {
  const selected = useSignal<Span | undefined>(undefined);
  /** How long what is written in a selection's place is to be. Default: as long as it was. */
  const tokens = useSignal<number | undefined>(undefined);
  const typing = useSignal<Span | undefined>(undefined);
  const isDrafting = useSignal(false);
  const entry = lane.entry.value;
  const policies = usable(about.policies, lane.model.value);
  const hasState = entry?.frame.state !== undefined;
  const name = `lane ${number}`;
  const cells = entry?.cells ?? [];
  const isPinned = ({ from, to }: Span) =>
    cells.slice(from, to).every(({ marks }) => marks.includes("pinned"));
  const actions: CanvasActions = {
    onSelect: (span) => {
      selected.value = span;
      tokens.value = undefined;
    },
    onPin: (span) => void lane.edit({ kind: "pin", ...span, on: !isPinned(span) }),
    onWrite: (span) => {
      selected.value = span;
      typing.value = span;
    },
    onAgain: (span) =>
      void lane.edit({ kind: "again", ...span, tokens: tokens.value ?? span.to - span.from }),
    onUndo: () => lane.undo(),
  };
  const tokenized = async (text: string, act: (tokens: Tokens) => Promise<void>) => {
    try {
      await act(await call<Tokens>("tokens", { text }));
    } catch (error) {
      lane.problem.value = (error as Error).message;
    }
  };
  const mend = async ({ ids, pieces }: Tokens) => {
    const { state } = lane.entry.value?.frame ?? {};
    if (state === undefined) return;
    const room = roomOf(state);
    if (ids.length > room) throw new Error(noRoom(ids.length, room));
    selected.value = undefined;
    await lane.edit({ kind: "draft", ids, pieces });
  };
  useEffect(() => {
    const { value } = lane.answer;
    if (value !== undefined && !lane.isBusy.value) announce(`Lane ${number} answers: ${value.text}`);
  }, [lane.answer.value, lane.isBusy.value]);
  return (
    <section class="lane card" aria-label={name} aria-busy={lane.isBusy.value}>
      <div class="lane-head">
        <h2>Lane {number}</h2>
        {onRemove && (
          <button type="button" class="quiet" onClick={onRemove} aria-label={`Remove lane ${number}`}>
            Remove
          </button>
        )}
      </div>
      <div class="lane-settings">
        <label class="field">
          <span>Model</span>
          <select
            value={lane.model.value}
            onChange={(event) => {
              lane.model.value = event.currentTarget.value;
              const [first] = usable(about.policies, lane.model.value);
              const isUsable = usable(about.policies, lane.model.value).some(
                ({ kind }) => kind === lane.policy.value.kind,
              );
              if (lane.model.value === "base") lane.policy.value = basePolicy(about);
              else if (!isUsable && first) lane.policy.value = { kind: first.kind };
            }}
          >
            <ModelOptions models={about.models} />
          </select>
        </label>
        <PolicyForm
          name={lane.key}
          policies={policies}
          values={lane.policy.value}
          onChange={(values) => {
            lane.policy.value = values;
          }}
        />
      </div>
      <Canvas
        name={`Answer of ${name}`}
        cells={cells}
        selected={selected.value}
        actions={hasState ? actions : undefined}
      />
      <Player lane={lane} name={name} />
      {lane.problem.value !== undefined && (
        <p class="problem" role="alert">
          {lane.problem.value}
        </p>
      )}
      {typing.value !== undefined ? (
        <TypeOver
          before={cells
            .slice(typing.value.from, typing.value.to)
            .map(({ text }) => text)
            .join("")}
          onLeave={() => {
            typing.value = undefined;
          }}
          onWritten={async (text) => {
            const span = typing.value;
            typing.value = undefined;
            if (span === undefined || text === "") return;
            await tokenized(text, ({ ids, pieces }) => lane.edit({ kind: "write", ...span, ids, pieces }));
          }}
        />
      ) : isDrafting.value ? (
        <DraftForm
          onLeave={() => {
            isDrafting.value = false;
          }}
          onPasted={async (text) => {
            isDrafting.value = false;
            await tokenized(text, mend);
          }}
        />
      ) : (
        hasState && (
          <div class="acts" role="toolbar" aria-label={`Edit ${name}`}>
            <button
              type="button"
              disabled={selected.value === undefined}
              onClick={() => selected.value && actions.onPin(selected.value)}
            >
              {selected.value && isPinned(selected.value) ? "Unpin" : "Pin"}
            </button>
            <button
              type="button"
              disabled={selected.value === undefined}
              onClick={() => selected.value && actions.onWrite(selected.value)}
            >
              Type over
            </button>
            <button
              type="button"
              disabled={selected.value === undefined}
              onClick={() => selected.value && actions.onAgain(selected.value)}
            >
              Write again
            </button>
            {selected.value !== undefined && (
              <label class="field">
                <span>in</span>
                <input
                  type="number"
                  min={1}
                  max={cells.length - selected.value.from}
                  value={String(tokens.value ?? selected.value.to - selected.value.from)}
                  onChange={(event) => {
                    const { valueAsNumber } = event.currentTarget;
                    tokens.value = valueAsNumber >= 1 ? Math.floor(valueAsNumber) : undefined;
                  }}
                />
                <span>tokens</span>
              </label>
            )}
            <button type="button" onClick={() => void lane.edit({ kind: "on" })}>
              Denoise again
            </button>
            <button
              type="button"
              onClick={() => {
                isDrafting.value = true;
              }}
            >
              Paste a draft
            </button>
            <button type="button" disabled={!lane.canUndo.value} onClick={actions.onUndo}>
              Undo
            </button>
          </div>
        )
      )}
      {entry !== undefined && !hasState && (
        <p class="about">This answer is written from left to right: there is nothing to edit.</p>
      )}
      {clean !== undefined && entry !== undefined && (
        <p class="about">{repaired(clean, entry.frame.answer)}</p>
      )}
      <Stats lane={lane} />
    </section>
  );
}

function noRoom(tokens: number, room: number): string {
  return `The draft has ${tokens} tokens, and this answer ${room}. Shorten it, or ask anew with more answer tokens.`;
}

function repaired(clean: readonly number[], answer: readonly number[]): string {
  const right = clean.filter((id, position) => answer[position] === id).length;
  return `${right} of ${clean.length} tokens are as in the sentence.`;
}
