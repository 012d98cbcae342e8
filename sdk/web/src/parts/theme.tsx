/** Dark or light: as the system has it, until the user says otherwise. */
import { useSignal } from "@preact/signals";

export function ThemeButton() {
  const isDark = useSignal(matchMedia("(prefers-color-scheme: dark)").matches);
  return (
    <button
      type="button"
      class="quiet"
      onClick={() => {
        isDark.value = !isDark.value;
        document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
      }}
    >
      {isDark.value ? "Light" : "Dark"}
    </button>
  );
}
