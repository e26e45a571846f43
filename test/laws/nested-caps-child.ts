/**
 * One of the processes of the law of nested caps: makes calls of random course, all at once, over scopes that contain each other.
 *
 *   node nested-caps-child.js <database> <name> <calls>
 */
import type { Attempt } from '../../src/core/model/model.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { sleep, systemClock, systemRuntime } from '../../src/system/clock.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep, seededRandom } from '../../src/testing/fakes.ts';
import { fault } from '../gateway/harness.ts';
import { NESTED_BUDGETS, RUN_CAP } from './nested-caps-budgets.ts';

const [database = '', name = '', calls = '0'] = process.argv.slice(2);
const random = seededRandom(name.charCodeAt(0));
const upTo = (most: number): number => Math.floor(random() * most);

function script(attempt: Attempt): readonly ScriptStep[] {
  const most = attempt.request.operation === 'chat' ? (attempt.request.maxOutputTokens ?? 100) : 0;
  const wait = { waitMs: upTo(6) };
  const text = { type: 'text-delta', text: 'some' } as const;
  const done = finish({ usage: { input: 10, output: Math.min(most, upTo(100)) } });
  const courses: readonly (readonly ScriptStep[])[] = [
    [wait, text, wait, done],
    [wait, text, wait, done],
    [wait, fault('overloaded')],
    [text, wait, fault('network')],
    // Cut: it ends without a finish.
    [wait, text],
    [wait, text, finish({ usage: { input: 0, output: 0 } })],
    [wait, text, { hang: true }],
  ];
  return courses[upTo(courses.length)] ?? [];
}

const models = [fakeCard({ id: 'one', maxOutputTokens: 100 })];
const providers = ['acme', 'bolt'].map((id) =>
  fakeProvider({ id, models, script, runtime: systemRuntime, concurrency: 500 }),
);
const polyphony = await createPolyphony({
  plugins: [],
  providers,
  stores: sqliteStores({ path: database }),
  config: {
    budgets: NESTED_BUDGETS,
    retry: { baseMs: 2, maxMs: 10 },
    timeouts: { idleMs: 100 },
    breaker: { minimumAttempts: 1_000_000 },
  },
});

const ended = { answered: 0, refused: 0, failed: 0 };

async function call(index: number): Promise<void> {
  const user = upTo(12);
  const scopes = [
    { kind: 'tenant', id: 't' },
    { kind: 'team', id: `team${user % 3}` },
    { kind: 'user', id: `user${user}` },
    { kind: 'tag', id: `tier=${user % 2 === 0 ? 'free' : 'paid'}` },
    { kind: 'run', id: `run${upTo(20)}`, capNanoUsd: RUN_CAP },
  ] as const;
  const controller = new AbortController();
  // A third is cancelled somewhere on its way.
  const cancel = random() < 0.3 ? systemClock.schedule(upTo(800), () => controller.abort()) : () => {};
  const leaveAfter = random() < 0.2 ? 1 + upTo(3) : Number.POSITIVE_INFINITY;
  const options = { id: `${name}${index}`, scopes, signal: controller.signal };
  const messages = [{ role: 'user' as const, content: 'word '.repeat(upTo(20)) }];
  try {
    await sleep(systemClock, upTo(50));
    if (random() < 0.3) await polyphony.gateway.generate({ messages }, options);
    else {
      let seen = 0;
      for await (const _event of polyphony.gateway.stream({ messages, onStreamFailure: 'restart' }, options)) {
        seen += 1;
        if (seen >= leaveAfter) break;
      }
    }
    ended.answered += 1;
  } catch (error) {
    if ((error as { code?: string }).code === 'budget-exceeded') ended.refused += 1;
    else ended.failed += 1;
  } finally {
    cancel();
  }
}

// The file is open before the first call begins.
await polyphony.stores.keyValue.get('made');
await Promise.all(Array.from({ length: Number(calls) }, (_, index) => call(index)));
await polyphony.close();
process.stdout.write(`${JSON.stringify(ended)}\n`);
