/** Law: all processes with one store have one trial of a candidate: it is counted once, concluded once, and costs no call anything. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { CandidateConfig } from '../../src/core/config.ts';
import type { CandidateReport, GatewayEvent } from '../../src/core/gateway.ts';
import type { KeyValueStore } from '../../src/core/stores.ts';
import { createGateway, type GatewayHandle } from '../../src/gateway/create-gateway.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeCard, fakeProvider, fakeRuntime, finish } from '../../src/testing/fakes.ts';
import { noTransport, text, user } from '../gateway/harness.ts';

const models = [
  fakeCard({ id: 'old', strengths: { general: 0.9 } }),
  fakeCard({ id: 'new', strengths: { general: 0.5 } }),
];
const folder = mkdtempSync(join(tmpdir(), 'shared-trials-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each returns a new store over the same place, as a process opens it. */
const PLACES: Readonly<Record<string, () => () => KeyValueStore>> = {
  memory() {
    const { keyValue } = memoryStores();
    return () => keyValue;
  },
  SQLite() {
    const path = join(folder, `${Math.random()}.db`);
    return () => sqliteStores({ path }).keyValue;
  },
};

interface Process {
  readonly gateway: GatewayHandle;
  readonly events: GatewayEvent[];
  readonly warn: ReturnType<typeof vi.fn>;
  readonly runtime: ReturnType<typeof fakeRuntime>;
  ask(id: string): Promise<string>;
  report(): CandidateReport;
  end(): Promise<void>;
}

function started(keyValue: KeyValueStore, given: Partial<CandidateConfig> = {}): Process {
  const runtime = fakeRuntime();
  const provider = fakeProvider({ models, script: () => [text('a'), finish({ usage: { input: 3, output: 7 } })] });
  const warn = vi.fn();
  const gateway = createGateway({
    providers: [provider],
    config: { candidates: { v2: { of: 'fake/old', model: 'fake/new', share: 0.5, ...given } } },
    logger: { info() {}, warn, error() {}, debug() {} },
    ...{ runtime, keyValue, transport: noTransport },
  });
  const events: GatewayEvent[] = [];
  gateway.onEvent?.((event) => events.push(event));
  return {
    ...{ gateway, events, warn, runtime },
    ask: async (id) => (await gateway.generate({ ...user(), optimise: 'quality' }, { id })).target.model,
    report() {
      const [found] = gateway.candidates?.() ?? [];
      if (found === undefined) throw new Error('no report');
      return found;
    },
    async end() {
      await gateway.close();
      await keyValue.close();
    },
  };
}

const told = (processes: readonly Process[]): readonly string[] =>
  processes.flatMap(({ events }) => events.map(({ type }) => type));
const callsOf = ({ arms }: CandidateReport): number => arms.current.calls + arms.candidate.calls;
const settled = (processes: readonly Process[]): Promise<unknown> =>
  Promise.all(processes.map(({ gateway }) => gateway.recall?.()));
/** Reads what others wrote, and waits for it. */
async function read(process: Process): Promise<CandidateReport> {
  process.report();
  await process.gateway.recall?.();
  return process.report();
}

describe.each(Object.entries(PLACES))('law: a trial of several processes, in %s', (_, place) => {
  it('adds up what they count, is concluded once, and goes on after a restart', async () => {
    const open = place();
    const rule = { samples: 40, promote: 'not-worse', margin: 0.3 } as const;
    const processes = [started(open(), rule), started(open(), rule)];
    let asked = 0;
    for (; asked < 30; asked += 1) await processes[asked % 2]?.ask(`call-${asked}`);
    await settled(processes);
    for (const one of processes) expect(callsOf(await read(one))).toBe(30);
    expect(told(processes)).toEqual([]);
    await processes[1]?.end();
    processes[1] = started(open(), rule);
    await processes[1].gateway.recall?.();
    expect(callsOf(processes[1].report())).toBe(30);
    for (; asked < 200; asked += 1) await processes[asked % 2]?.ask(`call-${asked}`);
    await settled(processes);
    const reports = await Promise.all(processes.map(read));
    expect(reports.map(({ state, verdict }) => [state, verdict.result])).toEqual(
      Array(2).fill(['promoted', 'not-worse']),
    );
    expect(reports[0]).toEqual(reports[1]);
    expect([...told(processes)].sort()).toEqual(['candidate-judged', 'candidate-promoted']);
    expect(reports[0]?.arms.candidate.outputTokens).toBe(7);
    for (const one of processes) expect(await one.ask('later')).toBe('new');
    for (const one of processes) await one.end();
    const third = started(open(), rule);
    await third.gateway.recall?.();
    expect(third.report()).toEqual(reports[0]);
    expect(third.events).toEqual([]);
    expect(await third.ask('last')).toBe('new');
    await third.end();
  });

  it('is written once a second, and at once where it may be concluded', async () => {
    const keyValue = place()();
    const change = vi.spyOn(keyValue, 'change');
    const one = started(keyValue, { samples: 40 });
    await one.gateway.recall?.();
    const before = change.mock.calls.length;
    for (let asked = 0; asked < 50; asked += 1) await one.ask(`call-${asked}`);
    expect(change.mock.calls.length - before).toBeLessThanOrEqual(1);
    await one.runtime.clock.advance(1000);
    await one.ask('call-50');
    await vi.waitFor(() => expect(change.mock.calls.length - before).toBeLessThanOrEqual(2));
    for (let asked = 51; !told([one]).includes('candidate-judged') && asked < 200; asked += 1)
      await one.ask(`call-${asked}`);
    expect(change.mock.calls.length - before).toBeLessThanOrEqual(5);
    await one.gateway.recall?.();
    expect(callsOf(one.report())).toBeGreaterThan(79);
    await one.end();
  });

  it('counts each call once, however many end at the same time, and none is lost at the end', async () => {
    const open = place();
    const processes = [started(open()), started(open()), started(open())];
    await Promise.all(
      processes.flatMap((one, index) => Array.from({ length: 100 }, (_each, call) => one.ask(`call-${index}-${call}`))),
    );
    for (let call = 0; call < 10; call += 1) processes[0]?.gateway.report?.(`call-0-${call}`, { score: 0.25 });
    await Promise.all(processes.map(({ gateway }) => gateway.close()));
    const later = started(open());
    await later.gateway.recall?.();
    const { arms } = later.report();
    expect(callsOf(later.report())).toBe(300);
    expect(arms.current.scores + arms.candidate.scores).toBe(10);
    expect([arms.current.score ?? 0.25, arms.candidate.score ?? 0.25]).toEqual([0.25, 0.25]);
    await later.end();
  });

  it('is decided by hand for all of them, whatever was decided before', async () => {
    const open = place();
    const [one, two] = [started(open()), started(open())];
    for (const [state, by] of [
      ['promoted', one],
      ['dismissed', two],
      ['trying', one],
      ['promoted', two],
    ] as const) {
      by.gateway.decideCandidate?.('v2', state);
      await by.gateway.recall?.();
      expect([(await read(one)).state, (await read(two)).state]).toEqual([state, state]);
    }
    expect(told([one])).toEqual(['candidate-promoted']);
    expect(told([two])).toEqual(['candidate-dismissed', 'candidate-promoted']);
    await one.end();
    await two.end();
  });

  it('keeps a decision by hand that is taken while one by its rule is written', async () => {
    const open = place();
    const kept = open();
    let decide = (): void => {};
    const keyValue: KeyValueStore = {
      ...kept,
      async change(changes) {
        const result = await kept.change(changes);
        if (changes.some(({ key, by }) => key.endsWith(':looks') && by > 0)) decide();
        return result;
      },
    };
    const one = started(keyValue, { samples: 5, promote: 'not-worse', margin: 0.4 });
    decide = () => one.gateway.decideCandidate?.('v2', 'dismissed');
    for (let call = 0; call < 40; call += 1) await one.ask(`call-${call}`);
    await one.gateway.recall?.();
    expect(one.report().state).toBe('dismissed');
    expect(await one.ask('after')).toBe('old');
    expect(told([one]).filter((type) => type !== 'candidate-judged')).toEqual(['candidate-dismissed']);
    const two = started(open(), { samples: 5, promote: 'not-worse', margin: 0.4 });
    await two.gateway.recall?.();
    expect(two.report().state).toBe('dismissed');
    await one.end();
    await two.end();
  });

  it('is decided by hand also by a process that has not read yet what was decided', async () => {
    const open = place();
    for (const [before, state] of [
      ['promoted', 'trying'],
      ['dismissed', 'trying'],
      ['promoted', 'dismissed'],
    ] as const) {
      const one = started(open());
      one.gateway.decideCandidate?.('v2', before);
      await one.gateway.close();
      const two = started(open());
      two.gateway.decideCandidate?.('v2', state);
      await two.gateway.recall?.();
      expect(two.report().state).toBe(state);
      const three = started(open());
      await three.gateway.recall?.();
      expect((await read(three)).state).toBe(state);
    }
  });

  it('is concluded from figures of one moment, also by a process that only read them', async () => {
    const open = place();
    const rule = { samples: 20, promote: 'not-worse', margin: 0.3 } as const;
    const one = started(open(), rule);
    for (let call = 0; call < 10; call += 1) await one.ask(`call-${call}`);
    await one.gateway.close();
    const kept = open();
    const keys = await kept.keys('trial:');
    const by = { 'current.calls': 100, 'candidate.calls': 100, 'candidate.failures': 100 };
    const added = Object.entries(by).map(([figure, more]) => ({
      key: keys.find((key) => key.endsWith(`:${figure}`)) ?? '',
      by: more,
    }));
    const failures = keys.find((key) => key.endsWith(':candidate.failures')) ?? '';
    const before = await kept.get(failures);
    await kept.change(added);
    // What another process wrote between two values that are read one by one.
    const get: KeyValueStore['get'] = async (key) => (key === failures ? before : kept.get(key));
    const two = started({ ...kept, get }, rule);
    await read(two);
    await read(two);
    expect(two.report()).toMatchObject({ state: 'dismissed', verdict: { result: 'worse' } });
    await two.end();
  });

  it('takes a bounded place, and that of an earlier rule is given back', async () => {
    const keyValue = place()();
    const one = started(keyValue);
    for (let call = 0; call < 200; call += 1) await one.ask(`call-${call}`);
    await one.gateway.recall?.();
    const keys = await keyValue.keys('trial:');
    expect(keys.length).toBeLessThanOrEqual(20);
    const bytes = await Promise.all(
      keys.map(async (key) => key.length + JSON.stringify(await keyValue.get(key)).length),
    );
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(4000);
    one.gateway.reconfigure({ candidates: { v2: { of: 'fake/old', model: 'fake/new', share: 0.4 } } });
    await one.ask('after');
    await one.gateway.recall?.();
    expect(callsOf(one.report())).toBe(1);
    const after = await keyValue.keys('trial:');
    expect(after.filter((key) => keys.includes(key) && !key.endsWith(':decided'))).toEqual([]);
    await one.end();
  });

  it('is written by nobody who only asks', async () => {
    const keyValue = place()();
    const one = started(keyValue);
    one.gateway.explain({ operation: 'chat', ...user() });
    await read(one);
    expect(await keyValue.keys('trial:')).toEqual([]);
    await one.end();
  });

  it('goes on with what an earlier release kept of a decision', async () => {
    const open = place();
    const keyValue = open();
    await keyValue.set('candidate:v2:fake/old:fake/new', 'promoted');
    const one = started(keyValue);
    await one.ask('first');
    await one.gateway.recall?.();
    expect(one.report().state).toBe('promoted');
    expect(one.events).toEqual([]);
    one.gateway.decideCandidate?.('v2', 'trying');
    await one.gateway.recall?.();
    const two = started(open());
    await two.gateway.recall?.();
    expect(two.report().state).toBe('trying');
    await one.gateway.close();
    await two.end();
  });

  it('is decided by the later decision, whichever release made it', async () => {
    const open = place();
    const keyValue = open();
    const decideOlder = (state: string) => keyValue.set('candidate:v2:fake/old:fake/new', state);
    const inProcess = async (work: (process: Process) => unknown = () => {}, given: Partial<CandidateConfig> = {}) => {
      const process = started(open(), given);
      await process.gateway.recall?.();
      await work(process);
      await process.gateway.recall?.();
      const { state } = process.report();
      await process.end();
      return state;
    };
    const decide =
      (state: 'promoted' | 'dismissed' | 'trying') =>
      ({ gateway }: Process) =>
        gateway.decideCandidate?.('v2', state);
    await decideOlder('promoted');
    // Before anything was read: what is decided here comes later than what stands there.
    const hasty = started(open());
    hasty.gateway.decideCandidate?.('v2', 'trying');
    await hasty.gateway.recall?.();
    expect(hasty.report().state).toBe('trying');
    await hasty.end();
    expect(await inProcess()).toBe('trying');
    // Figures of another rule are removed, decisions are not.
    expect(await inProcess(({ ask }) => ask('first'), { samples: 60 })).toBe('trying');
    expect(await inProcess()).toBe('trying');
    await decideOlder('dismissed');
    expect(await inProcess()).toBe('dismissed');
    expect(await inProcess(decide('promoted'))).toBe('promoted');
    expect(await inProcess()).toBe('promoted');
    expect(await inProcess(decide('trying'))).toBe('trying');
    expect(await inProcess()).toBe('trying');
    await decideOlder('promoted');
    expect([await inProcess(), await inProcess()]).toEqual(['promoted', 'promoted']);
    await keyValue.close();
  });

  it('is not decided by what an earlier release kept where nobody noted when', async () => {
    const keyValue = memoryStores().keyValue;
    const one = started(keyValue);
    one.gateway.decideCandidate?.('v2', 'dismissed');
    await one.gateway.recall?.();
    for (const key of await keyValue.keys('trial:')) if (key.endsWith(':older')) await keyValue.delete(key);
    await keyValue.set('candidate:v2:fake/old:fake/new', 'promoted');
    const two = started(keyValue);
    await two.gateway.recall?.();
    await two.gateway.recall?.();
    expect(two.report().state).toBe('dismissed');
    await one.gateway.close();
    await two.gateway.close();
  });
});

describe('law: a trial over a store that fails', () => {
  const FAILURES: Readonly<Record<string, () => never | Promise<never>>> = {
    rejects: () => Promise.reject(new Error('out of order')),
    throws: () => {
      throw new Error('out of order');
    },
    'never answers': () => new Promise(() => {}),
  };

  it.each(Object.entries(FAILURES))('costs no answer where it %s, and concludes nothing alone', async (how, fail) => {
    const { keyValue } = memoryStores();
    let isBroken = true;
    const change: KeyValueStore['change'] = (changes) => (isBroken ? fail() : keyValue.change(changes));
    const one = started({ ...keyValue, change }, { samples: 5, promote: 'not-worse', margin: 0.4 });
    const served = new Set<string>();
    for (let call = 0; call < 60; call += 1) served.add(await one.ask(`call-${call}`));
    expect([...served].sort()).toEqual(['new', 'old']);
    expect(callsOf(one.report())).toBe(60);
    expect(one.report().state).toBe('trying');
    expect(one.warn.mock.calls.length).toBe(how === 'never answers' ? 0 : 1);
    if (how === 'never answers') {
      const closed = vi.fn();
      void one.gateway.close().then(closed);
      await one.runtime.clock.advance(4999);
      expect(closed).not.toHaveBeenCalled();
      await one.runtime.clock.advance(1);
      expect(closed).toHaveBeenCalled();
      return;
    }
    isBroken = false;
    await one.ask('next');
    expect(callsOf(one.report())).toBe(61);
    expect(one.report().state).toBe('promoted');
    expect(told([one])).toEqual(['candidate-judged', 'candidate-promoted']);
    await one.gateway.close();
  });

  it('believes nothing of it that is no verdict', async () => {
    const { keyValue } = memoryStores();
    const rule = { samples: 5, promote: 'never', margin: 0.4 } as const;
    const one = started(keyValue, rule);
    for (let call = 0; call < 40; call += 1) await one.ask(`call-${call}`);
    await one.gateway.recall?.();
    const [key] = (await keyValue.keys('trial:')).filter((each) => each.endsWith(':verdict'));
    const { look } = (await keyValue.get(key ?? '')) as { look: number };
    for (const verdict of [
      null,
      { result: 'splendid', confidence: 1, reasons: [] },
      { result: 'better', reasons: [1] },
    ]) {
      await keyValue.set(key ?? '', { look, verdict });
      expect((await read(started(keyValue, rule))).verdict.result).toBe('undecided');
    }
  });
});
