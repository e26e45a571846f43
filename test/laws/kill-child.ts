/**
 * The process that the kill law kills: starts its run or goes on with it, on a database in a file.
 *
 *   node kill-child.js <database> <log> <run id> <life> [written]
 *
 * `written`: the run's plan comes node by node, and nodes start while it is written.
 */
import { appendFileSync } from 'node:fs';
import type { NodeRunner, RunEvent } from '../../src/core/run/engine.ts';
import { createEngine } from '../../src/executor/engine.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { sleep, systemClock, systemRuntime } from '../../src/system/clock.ts';
import { planned, scriptedPlanner } from '../executor/scripted-planner.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { KILL_COST, KILL_INPUT, killPlan } from './kill-plan.ts';

const [database = '', log = '', runId = '', life = '', written] = process.argv.slice(2);
const note = (line: object): void => appendFileSync(log, `${JSON.stringify({ life: Number(life), ...line })}\n`);

const step: NodeRunner = async (call) => {
  const { ms } = call.inputs;
  await sleep(systemClock, typeof ms === 'number' ? ms : 1, call.signal);
  note({ ran: call.idempotencyKey });
  return { value: { life: Number(life), key: call.idempotencyKey, round: call.round ?? 0 }, costNanoUsd: KILL_COST };
};

/** What the journal holds as finished: output by the key of the call that gave it. */
function finishedIn(events: readonly RunEvent[]): Record<string, unknown> {
  const finished: Record<string, unknown> = {};
  for (const event of events) {
    const kept = event.type === 'node-finished' || event.type === 'item-finished' || event.type === 'round-finished';
    const output = kept ? event.result.output : undefined;
    if (typeof output === 'object' && output !== null && 'key' in output) finished[String(output.key)] = output;
  }
  return finished;
}

/** Takes about as long as the nodes do. */
const planner = scriptedPlanner({
  async plan(_request, { signal, onDraft } = {}) {
    const plan = validPlan(killPlan);
    for (const valid of plan.nodes) {
      await sleep(systemClock, 1, signal);
      onDraft?.([{ valid, mayStart: !valid.node.id.startsWith('rounds') }], undefined);
    }
    return planned(plan);
  },
});

const stores = sqliteStores({ path: database });
const engine = createEngine({
  runtime: systemRuntime,
  journal: stores.journal,
  runners: new Map([['step', step]]),
  validPlan,
  planner,
  owner: 'the same after each kill',
});

const events: RunEvent[] = [];
for await (const event of stores.journal.read(runId)) events.push(event);
note({ finished: finishedIn(events) });
process.stdout.write('go\n');
const options = { runId, concurrency: 4, input: KILL_INPUT };
const begin = () =>
  written === undefined ? engine.start(validPlan(killPlan), options) : engine.startRequest?.('be killed', options);
const handle = events.length === 0 ? begin() : await engine.resume(runId, { concurrency: 4 });
if (handle === undefined) throw new Error('this engine takes no requests');
const result = await handle.result();
await stores.close();
process.stdout.write(`done ${JSON.stringify(result)}\n`);
