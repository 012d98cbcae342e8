/** The variables that the measured processes are started with. */

type Variables = Readonly<Record<string, string>>;

/** What our sides get: what a worker has. */
export function workerEnvironment(threads: number): Variables {
  const spinning = process.env.OMP_WAIT_POLICY === undefined ? { GOMP_SPINCOUNT: "10000" } : {};
  return { OMP_NUM_THREADS: String(threads), ...spinning };
}

/** What a reference gets: as many threads, and otherwise its own defaults. */
export function referenceEnvironment(threads: number): Variables {
  return { OMP_NUM_THREADS: String(threads) };
}

/** Tells glibc's allocator to keep what was freed, so that a process's next step does not pay for fresh memory. */
export const KEEPING_ALLOCATOR: Variables = {
  MALLOC_MMAP_THRESHOLD_: String(2 ** 30),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 32),
};
