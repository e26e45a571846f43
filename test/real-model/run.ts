/**
 * A small real model on a real server, which do what fakes never do.
 *
 *   npm run real-model            all checks
 *   npm run real-model -- queue   those whose name contains a word
 *
 * The last line is `N passed, N failed`, or says why the suite was skipped. Exit codes: 0 all passed or skipped, 1 one failed.
 */
import { scriptWords } from '../../scripts/script-words.ts';
import { CHECKS, openWith } from './checks.ts';
import { type ServedModel, Unavailable, withServedModel } from './server.ts';

/** Of all checks: those that are left then are not run, because the machine is too busy to say anything about them. */
const MOST_MS = 90_000;
/** Of one check; it fails then. */
const CHECK_MS = 40_000;

const { positionals: words } = scriptWords(import.meta.filename, { allowPositionals: true });
if (words.length > 0 && !Object.keys(CHECKS).some((name) => words.some((word) => name.includes(word)))) {
  console.error(`There is no check ${words.join(' ')}; there are ${Object.keys(CHECKS).join(', ')}`);
  process.exit(2);
}
const end = Date.now() + MOST_MS;
let failed = 0;
let passed = 0;

async function runChecks(served: ServedModel): Promise<void> {
  for (const [name, check] of Object.entries(CHECKS)) {
    if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
    if (Date.now() > end) {
      console.log(`skip ${name}: ${MOST_MS / 1000} s are over`);
      continue;
    }
    const started = Date.now();
    const problem = await problemOf(check, served);
    if (problem === undefined) passed += 1;
    else failed += 1;
    const said = problem === undefined ? '' : `: ${problem}`;
    console.log(`${problem === undefined ? 'ok  ' : 'FAIL'} ${name} (${Date.now() - started} ms)${said}`);
  }
}

async function problemOf(check: (typeof CHECKS)[string], served: ServedModel): Promise<string | undefined> {
  const polyphony = await openWith(served);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${CHECK_MS} ms`)), CHECK_MS);
  });
  try {
    await Promise.race([check(polyphony, served), late]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  } finally {
    clearTimeout(timer);
    await polyphony.close();
  }
}

try {
  await withServedModel(runChecks);
  console.log(`${passed} passed, ${failed} failed`);
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  console.log(`real-model: skipped, because ${error.message}`);
}
process.exitCode = failed > 0 ? 1 : 0;
