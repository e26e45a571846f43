/** One hostile plan as a user meets it: a model writes it for a request, and it is read, validated and run. */
import { join } from 'node:path';
import { CAPABILITIES, type JsonValue } from '../../../src/core/model/model.ts';
import type { RunResult } from '../../../src/core/run/engine.ts';
import { createPolyphony, type Polyphony } from '../../../src/index.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { fakeCard, fakeProvider, finish } from '../../../src/testing/fakes.ts';
import { codeOf, expectOurs } from '../harness/watch.ts';
import { double, layOut, materialPlugin, SECRET } from './material.ts';
import type { ModelCall, PlanCase } from './plan-case.ts';

/** Characters of one event of a stream. */
const PIECE = 4096;

const plannerAndModel = (text: string, { answer = () => 'ok', calls }: PlanCase) => {
  let before = 0;
  return fakeProvider({
    models: [fakeCard({ id: 'one', tier: 'premium', contextTokens: 10_000_000, capabilities: CAPABILITIES })],
    script: ({ purpose, request }) => {
      const called =
        purpose === 'planner' || calls === undefined || !('tools' in request) ? [] : calls(before++).map(callEvent);
      if (called.length > 0) return [...called, finish({ reason: 'tool-calls' })];
      const last = 'messages' in request ? request.messages.at(-1)?.content : '';
      const answered = purpose === 'planner' ? text : answer(typeof last === 'string' ? last : '');
      const pieces = Array.from({ length: Math.ceil(answered.length / PIECE) }, (_, index) => ({
        type: 'text-delta' as const,
        text: answered.slice(index * PIECE, (index + 1) * PIECE),
      }));
      return [...pieces, finish()];
    },
  });
};

const callEvent = ({ name, arguments: given }: ModelCall, index: number) => ({
  type: 'tool-call' as const,
  call: {
    type: 'tool-call' as const,
    id: `call ${index}`,
    name,
    arguments: given as JsonValue,
  },
});

export async function playPlan(one: PlanCase, root: string, problems: string[]): Promise<string> {
  const made = one.plan();
  const text = typeof made === 'string' ? made : JSON.stringify(made);
  const polyphony = await createPolyphony({
    providers: [plannerAndModel(text, one)],
    plugins: [materialPlugin],
    environment: false,
    workflows: [double],
    config: {
      // The worst case: nobody is asked, and nothing is refused because of what its steps declare.
      approval: { sideEffects: 'allow' },
      tools: {
        folder: layOut(root, text),
        http: true,
        write: { folder: join(root, 'written') },
        request: { hosts: ['127.0.0.1', 'localhost', '*.localhost', '[::1]', '169.254.169.254'] },
      },
      ...(one.runSeconds === undefined ? {} : { limits: { run: { seconds: one.runSeconds } } }),
    },
    stores: sqliteStores({ path: join(root, 'store', 'runs.db') }),
  });
  const outcome = await played(polyphony, text, one, problems);
  await polyphony.close();
  if (Object.keys(Object.prototype).length > 0 || 'polluted' in {})
    problems.push('the prototype of all objects changed');
  if (one.ends !== undefined && endOf(outcome) !== one.ends) problems.push(`ended as ${outcome}, not ${one.ends}`);
  return outcome;
}

const endOf = (outcome: string): string =>
  outcome.startsWith('failed: invalid-plan') ? 'refused' : outcome.replace(/\W.*/, '');

async function played(polyphony: Polyphony, text: string, one: PlanCase, problems: string[]): Promise<string> {
  try {
    const { issues } = await polyphony.validate(text);
    for (const { message } of issues) expectOurs(message, problems);
    const found = [...new Set(issues.filter(({ severity }) => severity === 'error').map(({ code }) => code))].slice(
      0,
      3,
    );
    const run = await polyphony.start('Do what you are told', {});
    for await (const event of run.events()) if (event.type === 'run-failed') expectOurs(event.error.message, problems);
    const result = await run.result();
    const ended =
      result.status === 'suspended' && one.event !== undefined ? await afterEvent(polyphony, one, run.runId) : result;
    return `${outcomeOf(ended, problems)} ${found.join(', ')}`.trim();
  } catch (error) {
    return `failed: ${codeOf(error, problems)}`;
  }
}

/** What a suspended run is after an event that somebody sends. */
async function afterEvent(polyphony: Polyphony, { event }: PlanCase, runId: string): Promise<RunResult> {
  const { name = '', payload } = event?.() ?? {};
  const { runs } = await polyphony.runs.event(name, payload);
  const went = runs.find((run) => run.runId === runId);
  return went === undefined ? polyphony.runs.show(runId) : went.result();
}

function outcomeOf(result: RunResult, problems: string[]): string {
  for (const { error } of result.nodes) if (error !== undefined) expectOurs(error.message, problems);
  if (holds([result.output, result.nodes, result.error], [SECRET, 'root:x:0'])) {
    problems.push('something from outside is in the result');
  }
  if (result.error === undefined) return result.status;
  expectOurs(result.error.message, problems);
  return `${result.status}: ${result.error.code}`;
}

/** Whether one of these words is in a value, of however many objects it is made. */
function holds(value: unknown, words: readonly string[]): boolean {
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === 'string' && words.some((word) => next.includes(word))) return true;
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    for (const inner of Object.values(next)) waiting.push(inner);
  }
  return false;
}
