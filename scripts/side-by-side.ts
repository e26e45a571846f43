/** Works that wait for processes of their own, as many at a time as there are processors. */
import { availableParallelism } from 'node:os';

/** The results, in the order of the works. The first work that rejects ends it. */
export async function sideBySide<T>(works: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const results = new Array<T>(works.length);
  const left = works.entries();
  const workUp = async (): Promise<void> => {
    for (const [at, work] of left) results[at] = await work();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, workUp));
  return results;
}
