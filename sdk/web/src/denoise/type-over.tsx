/** A field for what is to stand in the place of a selection. */

export function TypeOver({
  before,
  onLeave,
  onWritten,
}: {
  before: string;
  onLeave: () => void;
  onWritten: (text: string) => void;
}) {
  const space = /^\s*/.exec(before)?.[0] ?? "";
  return (
    <form
      class="acts"
      onSubmit={(event) => {
        event.preventDefault();
        const text = String(new FormData(event.currentTarget).get("text")).trim();
        onWritten(text === "" ? "" : space + text);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onLeave();
      }}
    >
      <input
        name="text"
        aria-label="Instead"
        autocomplete="off"
        ref={(input) => {
          if (input && input.dataset.focused === undefined) {
            input.dataset.focused = "";
            input.value = before.trim();
            input.select();
          }
        }}
      />
      <button type="submit">Put it there</button>
      <button type="button" onClick={onLeave}>
        Leave it
      </button>
    </form>
  );
}
