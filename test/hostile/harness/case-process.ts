/**
 * The process of one hostile case: plays it, prints its report and ends by itself.
 *
 *   node case-process.js <plans|providers|escapes> <name> <seconds of processor time>
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boundProcessorTime, processorMs } from './processor-time.ts';
import type { Report } from './report.ts';
import { watch } from './watch.ts';

type Play = (root: string, problems: string[]) => Promise<string>;

/** Loads the cases of one kind only: some of the others take a while to make. */
async function playOf(kind: string, name: string): Promise<Play> {
  if (kind === 'plans') {
    const [{ PLANS }, { playPlan }] = await Promise.all([import('../plans/index.ts'), import('../plans/play.ts')]);
    const one = PLANS.get(name);
    if (one !== undefined) return (root, problems) => playPlan(one, root, problems);
  }
  if (kind === 'providers') {
    const [{ PROVIDERS }, { playProvider }] = await Promise.all([
      import('../providers/index.ts'),
      import('../providers/play.ts'),
    ]);
    const one = PROVIDERS.get(name);
    if (one !== undefined) return (_root, problems) => playProvider(one, problems);
  }
  if (kind === 'escapes') {
    const [{ ESCAPES }, { playTwice }] = await Promise.all([
      import('../escapes/index.ts'),
      import('../escapes/play.ts'),
    ]);
    const one = ESCAPES.get(name);
    if (one !== undefined) return (_root, problems) => playTwice(one, problems);
  }
  throw new Error(`There is no hostile case ${kind} ${name}.`);
}

function bytesBelow(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** What was written while the store was open counts, its log too, so it is looked at again and again. */
function watchFolder(folder: string): () => number {
  let most = 0;
  const look = (): void => {
    try {
      most = Math.max(most, bytesBelow(folder));
    } catch {
      // Not there yet, or a file went away in between.
    }
  };
  const timer = setInterval(look, 100);
  timer.unref();
  return () => {
    look();
    clearInterval(timer);
    return most;
  };
}

const [kind = '', name = '', seconds = '20'] = process.argv.slice(2);
boundProcessorTime(Number(seconds));
const root = mkdtempSync(join(tmpdir(), 'polyphony-hostile-'));
const watched = watch();
const written = watchFolder(join(root, 'store'));
let outcome = 'nothing';
try {
  const play = await playOf(kind, name);
  watched.begin();
  outcome = await play(root, watched.problems);
} catch (error) {
  watched.problems.push(`the case failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}
watched.stop();
const report: Report = {
  outcome,
  workMs: Math.round(processorMs()),
  problems: watched.problems.slice(0, 10),
  blockedMs: watched.blockedMs(),
  writtenBytes: written(),
  residentBytes: process.resourceUsage().maxRSS * 1024,
};
rmSync(root, { recursive: true, force: true });
// Nothing is ended here: what polyphony left behind keeps the process alive, and the suite sees it.
process.stdout.write(`${JSON.stringify(report)}\n`);
