/** Tabs that the arrow keys move between. */

export function Tabs<Name extends string>({
  names,
  chosen,
  onChoose,
}: {
  names: readonly Name[];
  chosen: Name;
  onChoose: (name: Name) => void;
}) {
  const move = (event: KeyboardEvent, index: number) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (index + step + names.length) % names.length;
    onChoose(names[next] as Name);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Demos">
      {names.map((name, index) => (
        <button
          type="button"
          key={name}
          id={`tab-${index}`}
          role="tab"
          aria-selected={name === chosen}
          aria-controls={`panel-${index}`}
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => onChoose(name)}
          onKeyDown={(event) => move(event, index)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
