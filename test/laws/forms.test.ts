/**
 * What calls and runs make has a form that the process knows: V8 makes no hidden class for each of them.
 *
 * Node 20 makes one for each object whose literal copies another one and adds a field to it, which takes two microseconds, and so does
 * everything that reads it afterwards. See docs/decisions/objects-of-a-call.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compiled } from '../compiled.ts';

let log: readonly string[];

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-forms-'));
  const file = join(folder, 'forms.log');
  const flags = ['--log-maps', '--no-logfile-per-isolate', `--logfile=${file}`];
  const child = spawnSync(process.execPath, [...flags, compiled('test/laws/forms-child.ts')], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`The calls ended with ${child.status}: ${child.stderr}`);
  log = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('map,'));
  rmSync(folder, { recursive: true });
});

/** Node 20 makes hidden classes for each abort signal itself. */
const OF_SIGNALS = ['kAborted', 'kReason', 'kComposite'];

/** The fields whose hidden classes were made for at least half of the fifty of a kind, with their places in the compiled file. */
function madeEachTime(kind: string): readonly string[] {
  const from = log.findIndex((line) => line.includes(`${kind}-begins`));
  const to = log.findIndex((line) => line.includes(`${kind}-ends`));
  if (from < 0 || to < from) throw new Error(`V8's log has no marks of ${kind}.`);
  const times = new Map<string, number>();
  for (const line of log.slice(from + 1, to)) {
    const [, what, , , , , row, column, , field = ''] = line.split(',');
    if (OF_SIGNALS.some((name) => field.includes(name))) continue;
    const place = `${what} ${field} ${row}:${column}`;
    times.set(place, (times.get(place) ?? 0) + 1);
  }
  return [...times].filter(([, count]) => count >= 25).map(([place]) => place);
}

test.each(['whole', 'stream', 'sqlite', 'run', 'models', 'events', 'tools', 'plugins'])(
  'no form is made for each: %s',
  (kind) => {
    expect(madeEachTime(kind)).toEqual([]);
  },
);
