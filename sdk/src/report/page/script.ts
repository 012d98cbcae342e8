/**
 * What the page does in a browser: its theme, sorting, copying, and traces that are played. All texts are put in as text. It keeps
 * nothing between visits, and asks the network for nothing.
 */
export const SCRIPT = String.raw`
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("live");

  /** Tells whoever hears the page what happened. @param {string} text */
  const tell = (text) => {
    const status = document.getElementById("status");
    if (status) status.textContent = text;
  };

  // The theme: the system's until the button chooses the other one.
  const theme = document.getElementById("theme");
  if (theme instanceof HTMLButtonElement) {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
    const name = () => {
      theme.textContent = isDark() ? "Light" : "Dark";
      theme.setAttribute("aria-label", isDark() ? "Light colours" : "Dark colours");
    };
    theme.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      name();
    });
    system.addEventListener("change", name);
    name();
    theme.hidden = false;
  }

  // Sorting: numbers by their value, texts as people order them; what is missing stands last either way.
  const order = new Intl.Collator(undefined, { numeric: true });
  /** @type {(row: Element, column: number) => { value: number | undefined, text: string }} */
  const keyOf = (row, column) => {
    const cell = row.children[column];
    const value = cell?.getAttribute("data-value");
    return { value: value == null ? undefined : Number(value), text: cell?.textContent ?? "" };
  };
  for (const button of document.querySelectorAll(".sort")) {
    button.addEventListener("click", () => {
      const header = button.closest("th");
      const body = button.closest("table")?.tBodies[0];
      if (!header || !body) return;
      const column = header.cellIndex;
      const down = header.getAttribute("aria-sort") === "ascending";
      const isNumeric = header.classList.contains("number");
      const keyed = [...body.rows].map((row) => ({ row, key: keyOf(row, column) }));
      keyed.sort(({ key: a }, { key: b }) => {
        if (isNumeric && (a.value === undefined || b.value === undefined)) {
          return Number(a.value === undefined) - Number(b.value === undefined);
        }
        const by = isNumeric ? (a.value ?? 0) - (b.value ?? 0) : order.compare(a.text, b.text);
        return down ? -by : by;
      });
      body.append(...keyed.map(({ row }) => row));
      for (const other of header.parentElement?.children ?? []) other.setAttribute("aria-sort", "none");
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      tell("Sorted by " + button.textContent + (down ? ", descending" : ", ascending"));
    });
  }

  // Copying: the table as CSV, in the order in which it stands.
  /** @param {string} text */
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
  };
  for (const button of document.querySelectorAll("button.copy")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const table = button.closest(".table")?.querySelector("table");
      const body = table?.tBodies[0];
      if (!table || !body) return;
      const lines = [table, ...body.rows].map((element) => element.dataset.csv ?? "");
      await copy(lines.join("\r\n") + "\r\n");
      button.focus();
      button.textContent = "Copied";
      tell("Copied as CSV");
      setTimeout(() => {
        button.textContent = "Copy CSV";
      }, 2000);
    });
  }

  // Traces: a slider through the iterations, and a button that moves it.
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  for (const trace of document.querySelectorAll(".trace")) {
    const player = trace.querySelector(".player");
    const slider = trace.querySelector("input");
    const play = trace.querySelector(".play");
    const output = trace.querySelector("output");
    const canvas = trace.querySelector(".canvas");
    const data = trace.querySelector("script.frames");
    if (!(player instanceof HTMLElement) || !slider || !play || !output || !canvas || !data) continue;
    /** @type {[iteration: number, cells: [text: string, state: string][]][]} */
    const frames = JSON.parse(data.textContent ?? "[]");
    const last = frames.length - 1;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    let timer;
    const show = () => {
      const frame = frames[Number(slider.value)];
      if (!frame) return;
      const cells = frame[1].map(([text, state]) => {
        const cell = document.createElement("span");
        cell.className = "cell " + state;
        cell.textContent = text;
        return cell;
      });
      canvas.replaceChildren(...cells);
      output.textContent = frame[0] + " of " + (frames[last]?.[0] ?? "");
      slider.setAttribute("aria-valuetext", "iteration " + frame[0]);
    };
    const pause = () => {
      clearInterval(timer);
      timer = undefined;
      play.textContent = "Play";
    };
    const step = () => {
      slider.value = String(Number(slider.value) + 1);
      show();
      if (Number(slider.value) >= last) pause();
    };
    play.addEventListener("click", () => {
      if (timer !== undefined) return pause();
      if (Number(slider.value) >= last) slider.value = "0";
      show();
      if (last === 0) return;
      play.textContent = "Pause";
      timer = setInterval(step, calm.matches ? 1500 : 400);
    });
    slider.addEventListener("input", () => {
      pause();
      show();
    });
    player.hidden = false;
  }
})();
`;
