/** What a trace of Chromium says of a page's frames: how many were shown, and what its main thread did meanwhile. */

/** The categories that `traceSummary` reads. */
export const TRACED = [
  "devtools.timeline",
  "disabled-by-default-devtools.timeline",
  "disabled-by-default-devtools.timeline.frame",
  "toplevel",
  "v8",
] as const;

/** An event of a trace, as far as it is read here. Times are in microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly args?: {
    readonly name?: string;
    /** Of a dropped frame: whether the compositor drew what it had, and the page's part came with the next. */
    readonly hasPartialUpdate?: boolean;
  };
}

/** Work of the main thread that is told apart, in the trace's names. */
const WORK = ["FunctionCall", "UpdateLayoutTree", "Layout", "PrePaint", "Paint", "Layerize", "Commit"];
const COLLECTIONS = ["MinorGC", "MajorGC"];

/** Frames that were begun, those of them with a new picture of the page, those that were dropped; and milliseconds of the busiest main thread of a page. */
export function traceSummary(events: readonly TraceEvent[]) {
  const count = (isIt: (event: TraceEvent) => boolean) => events.filter(isIt).length;
  const main = mainThread(events);
  const taken = (names: readonly string[]) =>
    Math.round(main.reduce((sum, { name, dur = 0 }) => sum + (names.includes(name) ? dur : 0), 0) / 1000);
  const tasks = main.filter(({ name }) => name === "RunTask" || name === "ThreadControllerImpl::RunTask");
  return {
    begun: count(({ name }) => name === "BeginFrame"),
    changed: count(({ name }) => name === "ActivateLayerTree"), // DrawFrame is not told without a screen
    dropped: count(({ name, args }) => name === "DroppedFrame" && args?.hasPartialUpdate !== true),
    mainMs: {
      ...Object.fromEntries(WORK.map((name) => [name, taken([name])])),
      gc: taken(COLLECTIONS),
    },
    longestTaskMs: Math.round(Math.max(0, ...tasks.map(({ dur = 0 }) => dur)) / 1000),
  };
}

/** The complete events of the renderer's main thread that ran the most script. */
function mainThread(events: readonly TraceEvent[]): TraceEvent[] {
  const named = events.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain");
  const threads = named.map(({ pid, tid }) =>
    events.filter((one) => one.pid === pid && one.tid === tid && one.ph === "X"),
  );
  const script = (thread: readonly TraceEvent[]) =>
    thread.reduce((sum, { name, dur = 0 }) => sum + (name === "FunctionCall" ? dur : 0), 0);
  return threads.sort((a, b) => script(b) - script(a))[0] ?? [];
}
