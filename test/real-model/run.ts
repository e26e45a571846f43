/**
 * A small real model on a real server, which do what fakes never do.
 *
 *   npm run real-model            all checks
 *   npm run real-model -- queue   those whose name contains a word
 *
 * The last line is `N passed, N failed`, or says why the suite was skipped. Exit codes: 0 all passed or skipped, 1 one failed.
 */
import { CHECKS, openWith } from './checks.ts';
import { type ServedModel, Unavailable, withServedModel } from './server.ts';

/** Of all checks; those that are left then fail. */
const MOST_MS = 60_000;

const words = process.argv.slice(2);
const end = Date.now() + MOST_MS;
let failed = 0;
let passed = 0;

async function runChecks(served: ServedModel): Promise<void> {
  for (const [name, check] of Object.entries(CHECKS)) {
    if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
    const started = Date.now();
    const polyphony = await openWith(served);
    const problem = await within(end - started, check(polyphony, served)).catch((error: unknown) => error);
    await polyphony.close();
    if (problem === undefined) passed += 1;
    else failed += 1;
    const [line] = (problem instanceof Error ? problem.message : String(problem)).split('\n');
    console.log(
      `${problem === undefined ? 'ok  ' : 'FAIL'} ${name} (${Date.now() - started} ms)${problem === undefined ? '' : `: ${line}`}`,
    );
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${MOST_MS} ms of all checks`)), Math.max(0, ms));
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

try {
  await withServedModel(runChecks);
  console.log(`${passed} passed, ${failed} failed`);
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  console.log(`real-model: skipped, because ${error.message}`);
}
process.exitCode = failed > 0 ? 1 : 0;
