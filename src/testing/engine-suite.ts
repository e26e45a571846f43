/** The conformance suite of ExecutionEngine. */
import assert from 'node:assert/strict';
import { abortError, PolyphonyError } from '../core/errors.ts';
import { onAbort } from '../core/on-abort.ts';
import type { PlanNode } from '../core/plan/plan.ts';
import { type NodeCall, type RunResult, TRANSIENT_EVENTS } from '../core/run/engine.ts';
import { type Bench, benchOf, type EngineSuiteOptions, node, type Opened, type Work } from './engine-bench.ts';
import { gather } from './suite.ts';

type EngineTest = (name: string, run: (bench: Bench) => Promise<void>) => void;

/** Declares the tests that every engine passes. */
export function testEngine(options: EngineSuiteOptions): void {
  const check: EngineTest = (name, run) => {
    options.test(name, async () => {
      const opened: Opened = { engines: [], journals: [] };
      try {
        await run(benchOf(options, opened));
      } finally {
        for (const engine of opened.engines) await engine.close();
        for (const journal of opened.journals) await journal.close();
      }
    });
  };
  shapeTests(check);
  skipTests(check);
  failureTests(check);
  cancelTests(check);
  journalTests(check);
  humanTests(check);
}

const stateOf = (result: RunResult): Record<string, string> =>
  Object.fromEntries(result.nodes.map(({ id, state }) => [id, state]));

function shapeTests(check: EngineTest): void {
  check('runs a chain in its order and passes outputs on with their types', async (bench) => {
    const nodes = [node('a', { list: [1, { b: null }] }), node('b', { got: '{{a.list}}', text: 'is {{a.list[0]}}' })];
    const result = await bench.run(nodes, { output: { last: '{{b.got}}', text: '{{b.text}}' } });
    assert.equal(result.status, 'done', JSON.stringify(result.error));
    assert.deepEqual(result.output, { last: [1, { b: null }], text: 'is 1' });
    assert.deepEqual(bench.ran, ['a', 'b']);
    assert.equal(result.costNanoUsd, 2000);
  });
  check('runs both arms of a diamond at the same time and its join after both', async (bench) => {
    const arrived: (() => void)[] = [];
    // Each arm waits for the other: an engine that runs them one at a time never ends.
    const together = ({ inputs }: NodeCall): Promise<unknown> =>
      new Promise((resolve) => {
        arrived.push(() => resolve(inputs));
        if (arrived.length === 2) for (const go of arrived) go();
      });
    bench.work.set('left', together).set('right', together);
    const arms = [node('left', { side: '{{top.x}} left' }), node('right', { side: '{{top.x}} right' })];
    const join = node('join', { both: '{{left.side}}, {{right.side}}' });
    const result = await bench.run([node('top', { x: 1 }), ...arms, join], { output: '{{join.both}}' });
    assert.equal(result.output, '1 left, 1 right');
    assert.equal(bench.ran.at(-1), 'join');
    assert.equal(bench.ran.length, 4);
  });
  check('runs a node once per item, in any order, and keeps the order of the items', async (bench) => {
    const nodes = [node('many', { value: '{{index}}: {{item}}' }, { each: '{{input.items}}' })];
    const engine = await bench.engine();
    const plan = bench.valid(nodes, { input: { items: 'string[]' }, output: '{{many}}' });
    const run = async (items: string[]): Promise<unknown> =>
      (await engine.start(plan, { input: { items } }).result()).output;
    assert.deepEqual(await run(['a', 'b', 'c']), [{ value: '0: a' }, { value: '1: b' }, { value: '2: c' }]);
    assert.deepEqual(await run([]), []);
  });
  check('numbers the events of a run without a gap, from its start to its end', async (bench) => {
    const engine = await bench.engine();
    const handle = engine.start(bench.valid([node('a'), node('b', { a: '{{a}}' })]));
    const [events, again] = await Promise.all([gather(handle.events()), gather(handle.events())]);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index),
    );
    assert.equal(events[0]?.type, 'run-started');
    assert.equal(events.at(-1)?.type, 'run-finished');
    assert.deepEqual(again, events, 'every reader sees every event');
  });
}

function skipTests(check: EngineTest): void {
  check('skips a node whose condition is false, and what refers to nothing else', async (bench) => {
    const nodes = [
      node('a', { x: 1 }),
      node('no', { v: '{{a.x}}' }, { when: 'a.x == 2' }),
      node('behind', { v: '{{no.v}}' }),
      node('fallback', { v: '{{no.v ?? a.x}}' }),
      node('after', { v: 1 }, { needs: ['no'] }),
    ];
    const result = await bench.run(nodes, { output: { v: '{{fallback.v}}', none: '{{behind.v}}' } });
    const states = { a: 'done', no: 'skipped', behind: 'skipped', fallback: 'done', after: 'done' };
    assert.deepEqual(stateOf(result), states);
    assert.deepEqual(result.output, { v: 1, none: null });
  });
}

const boom = (): never => {
  throw new PolyphonyError('tool-failed', 'The tool broke.');
};

function failureTests(check: EngineTest): void {
  check('fails the run with the error of the node, and starts nothing behind it', async (bench) => {
    bench.work.set('bad', boom);
    const result = await bench.run([node('bad'), node('behind', { v: '{{bad}}' })]);
    assert.equal(result.status, 'failed');
    assert.equal(result.error?.code, 'tool-failed');
    assert.deepEqual(bench.ran, ['bad']);
    assert.equal(stateOf(result).bad, 'failed');
  });
  check('goes on where onError says so: with nothing, or with a value', async (bench) => {
    bench.work.set('skipped', boom).set('valued', boom);
    const nodes = [
      node('skipped', {}, { onError: 'skip' }),
      node('valued', {}, { onError: { value: { v: 7 } } }),
      node('last', { v: '{{valued.v}}', s: '{{skipped.v ?? valued.v}}' }),
    ];
    const result = await bench.run(nodes, { output: '{{last}}' });
    assert.equal(result.status, 'done', JSON.stringify(result.error));
    assert.deepEqual(result.output, { v: 7, s: 7 });
  });
}

/** Runs until its signal aborts. */
const endless: Work = ({ signal }) =>
  new Promise((_, reject) => {
    onAbort(signal, () => reject(abortError(signal)));
  });

/** Resolves when the node has started. */
function startOf(bench: Bench, id: string, then: Work): Promise<void> {
  return new Promise((resolve) => {
    bench.work.set(id, (call) => {
      resolve();
      return then(call);
    });
  });
}

function cancelTests(check: EngineTest): void {
  check('cancels what runs, by handle and by signal, and starts nothing more', async (bench) => {
    for (const way of ['handle', 'signal'] as const) {
      const started = startOf(bench, 'long', endless);
      const controller = new AbortController();
      const engine = await bench.engine();
      const plan = bench.valid([node('long'), node('behind', { v: '{{long}}' })]);
      const handle = engine.start(plan, { runId: way, signal: controller.signal });
      await started;
      if (way === 'handle') handle.cancel('enough');
      else controller.abort();
      assert.equal((await handle.result()).status, 'cancelled', way);
      assert.equal((await gather(handle.events())).at(-1)?.type, 'run-cancelled');
    }
    assert.deepEqual(bench.ran, ['long', 'long']);
  });
}

function journalTests(check: EngineTest): void {
  const nodes = [node('a', { x: 1 }), node('b', { x: '{{a.x}}' }), node('c', { x: '{{b.x}}' })];
  const output = { x: '{{c.x}}' };
  check('resumes after a crash without running again what had finished', async (bench) => {
    const engine = await bench.crashAt('c', bench.valid(nodes, { output }));
    bench.ran.length = 0;
    const after = await (await engine.resume('run')).result();
    assert.deepEqual(bench.ran, ['c']);
    assert.deepEqual([after.status, after.output, after.costNanoUsd], ['done', { x: 1 }, 3000]);
    const sequence = (await gather(engine.replay('run'))).map(({ seq }) => seq);
    assert.deepEqual(
      sequence,
      [...sequence].sort((a, b) => a - b),
      'numbers go on rising',
    );
  });
  check('runs a node again under the same key when a crash left its end unknown', async (bench) => {
    const keys: string[] = [];
    bench.work.set('b', ({ idempotencyKey, inputs }) => {
      keys.push(idempotencyKey);
      return inputs;
    });
    const engine = await bench.crashAt('b', bench.valid(nodes, { output }));
    await (await engine.resume('run')).result();
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
  });
  check('replays, inspects and lists a run without running anything', async (bench) => {
    const handle = (await bench.engine()).start(bench.valid(nodes, { goal: 'to be seen', output }), { runId: 'run' });
    const result = await handle.result();
    const kept = (await gather(handle.events())).filter(({ type }) => !TRANSIENT_EVENTS.has(type));
    bench.ran.length = 0;
    const engine = await bench.engine();
    assert.deepEqual(await gather(engine.replay('run')), kept);
    const inspected = await engine.inspect('run');
    assert.deepEqual(
      [inspected.status, inspected.output, stateOf(inspected)],
      ['done', result.output, stateOf(result)],
    );
    const listed = await engine.list({ status: 'done' });
    assert.deepEqual(
      listed.map(({ runId, goal }) => [runId, goal]),
      [['run', 'to be seen']],
    );
    assert.deepEqual(bench.ran, []);
  });
  check('forks a run: what is before the node is kept, it and what is behind it run again', async (bench) => {
    await bench.run(nodes, { output });
    bench.ran.length = 0;
    const engine = await bench.engine();
    const result = await (await engine.fork('run', { from: 'b', with: { x: 5 } })).result();
    assert.deepEqual([result.output, bench.ran], [{ x: 5 }, ['b', 'c']]);
    assert.notEqual(result.runId, 'run');
  });
  check('throws not-found for a run that it does not know', async (bench) => {
    const engine = await bench.engine();
    const isNotFound = (error: unknown): boolean => error instanceof PolyphonyError && error.code === 'not-found';
    await assert.rejects(engine.resume('nobody'), isNotFound);
    await assert.rejects(engine.inspect('nobody'), isNotFound);
  });
}

function humanTests(check: EngineTest): void {
  check('suspends for a person, and goes on with the answer in another process', async (bench) => {
    const ask: PlanNode = { id: 'ask', use: 'human', in: { question: 'Shall I?', choices: ['yes', 'no'] } };
    const nodes = [node('a', { x: 1 }), ask, node('b', { said: '{{ask.answer}}', x: '{{a.x}}' })];
    const suspended = await bench.run(nodes, { output: '{{b.said}}' });
    assert.equal(suspended.status, 'suspended');
    assert.deepEqual(
      suspended.waiting?.map(({ nodeId, question }) => [nodeId, question]),
      [['ask', 'Shall I?']],
    );
    const engine = await bench.engine();
    await engine.answer('run', 'ask', 'yes');
    bench.ran.length = 0;
    const result = await (await engine.resume('run')).result();
    assert.deepEqual([result.status, result.output], ['done', 'yes']);
    assert.deepEqual(bench.ran, ['b'], 'what had finished before the question does not run again');
  });
}
