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

/** Of some variables those that set up the memory allocator. */
export function allocatorSettings(variables: Variables): Variables {
  const named = Object.entries(variables).filter(([name]) =>
    /^(MALLOC_|GLIBC_TUNABLES$|LD_PRELOAD$)/.test(name),
  );
  return Object.fromEntries(named);
}
