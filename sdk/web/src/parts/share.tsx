/** A session as a link or a file, and opened again from either. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { announce } from "../core/announce.js";
import { fragment } from "../core/api.js";
import { fromLink, toLink } from "../core/links.js";

export function Share({
  name,
  session,
  onOpen,
}: {
  /** Stands before the session in a link, and in its file's name. */
  name: "session" | "noise";
  session: () => object;
  /** Given the session's JSON; throws for what is none. */
  onOpen: (text: string) => void;
}) {
  const problem = useSignal<string | undefined>(undefined);
  const opened = (read: () => string) => {
    try {
      onOpen(read());
      problem.value = undefined;
    } catch (error) {
      problem.value = (error as Error).message;
    }
  };
  useEffect(() => {
    const link = fragment().get(name);
    if (link !== null) opened(() => fromLink(link));
  }, []);
  const copy = async () => {
    const address = new URL(`#${name}=${toLink(session())}`, location.href);
    history.replaceState(undefined, "", address);
    const isCopied = await navigator.clipboard?.writeText(address.href).then(
      () => true,
      () => false,
    );
    announce(isCopied ? "The link is copied." : "The link is in the address bar.");
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        Copy a link
      </button>
      <button type="button" onClick={() => saved(session(), `lad-${name}.json`)}>
        Save
      </button>
      <label class="button">
        Open
        <input
          class="unseen"
          type="file"
          accept="application/json"
          aria-label="Open a saved session"
          onChange={async (event) => {
            const field = event.currentTarget;
            const text = await field.files?.[0]?.text();
            field.value = ""; // the same file may be opened again
            if (text !== undefined) opened(() => text);
          }}
        />
      </label>
      {problem.value !== undefined && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </>
  );
}

function saved(session: object, download: string): void {
  const url = URL.createObjectURL(
    new Blob([JSON.stringify(session, undefined, 2)], { type: "application/json" }),
  );
  Object.assign(document.createElement("a"), { href: url, download }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
