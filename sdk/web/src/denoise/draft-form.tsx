/** A field for a text that a lane is to mend. */

export function DraftForm({
  onLeave,
  onPasted,
}: {
  onLeave: () => void;
  /** Given a text that is not empty. */
  onPasted: (text: string) => void;
}) {
  return (
    <form
      class="acts"
      onSubmit={(event) => {
        event.preventDefault();
        const text = String(new FormData(event.currentTarget).get("draft")).trim();
        if (text !== "") onPasted(text);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onLeave();
      }}
    >
      <textarea
        name="draft"
        rows={3}
        required
        aria-label="Draft to be mended"
        placeholder="All of it may change. Half of the schedule is denoised."
        ref={(field) => {
          if (field && field.dataset.focused === undefined) {
            field.dataset.focused = "";
            field.focus();
          }
        }}
      />
      <button type="submit">Mend it</button>
      <button type="button" onClick={onLeave}>
        Leave it
      </button>
    </form>
  );
}
