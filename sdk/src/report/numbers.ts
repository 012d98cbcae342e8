/**
 * Numbers as people read them: few digits, units beside them. NaN and undefined are a dash.
 *
 * Made of `toFixed` and `toLocaleString`: pretty-bytes writes `512.0 B` where it writes `3.0 GiB`, and Node 20 has no
 * Intl.DurationFormat.
 */

/** Three significant digits from 1 upwards, `decimals` below: 1,234,567 · 98.7 · 0.123. */
export function number(value: number | undefined, decimals = 3): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : decimals);
}

/** A share of one: 0.4375 is `43.8 %`. */
export function percent(share: number | undefined): string {
  return share === undefined || Number.isNaN(share) ? "–" : `${(share * 100).toFixed(1)} %`;
}

/** Bytes in powers of 1024: `12.3 MiB`. */
export function bytes(count: number | bigint): string {
  let size = Number(count);
  let unit = "B";
  for (const next of ["KiB", "MiB", "GiB", "TiB"]) {
    if (size < 1024) break;
    size /= 1024;
    unit = next;
  }
  return `${unit === "B" ? size : size.toFixed(1)} ${unit}`;
}

/** Seconds as a clock: `1:05`, or `2:00:07` from an hour on. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
