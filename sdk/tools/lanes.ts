/** Does jobs in their order, so many at a time: whichever lane is free takes the next. Their results, in the jobs' order. */
export async function inLanes<Result>(
  lanes: number,
  jobs: readonly (() => Promise<Result>)[],
): Promise<Result[]> {
  const results: Result[] = [];
  const left = jobs.entries();
  const lane = async () => {
    for (const [index, job] of left) results[index] = await job();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
