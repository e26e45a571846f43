/** A process in which one callback rejects, and which has to live to its end. Its argument says which one. */
import { setTimeout as after } from 'node:timers/promises';
import {
  createPolyphony,
  type Logger,
  type Plan,
  type Plugin,
  type PolyphonyOptions,
  type StartOptions,
} from '../../../src/index.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/index.ts';

const reject = async (): Promise<never> => {
  await after(1);
  throw new Error('the callback rejects');
};
/** A promise of another library. */
const thenable = () =>
  Object.fromEntries([['then', (_: unknown, no: (error: Error) => void) => no(new Error('a thenable rejects'))]]);
let paid = 0;
const pay: Plugin = {
  name: 'pay',
  tools: [
    {
      name: 'pay',
      description: 'Pays.',
      input: {},
      sideEffects: true,
      run: async () => {
        paid += 1;
        throw new Error('after paying');
      },
    },
  ],
};
const plan: Plan = { version: 1, nodes: [{ id: 'a', use: 'tool:pay', onError: 'skip' }] };
const logger: Logger = { debug: reject, info: reject, warn: reject, error: reject };
const layer = { place: 'telemetry', handle: reject } as never;

interface Case {
  readonly plugin?: Partial<Plugin>;
  readonly options?: Partial<PolyphonyOptions>;
  readonly start?: StartOptions;
  readonly plan?: Parameters<Awaited<ReturnType<typeof createPolyphony>>['plan']>[1];
}

const CASES: Readonly<Record<string, Case>> = {
  onEvent: { plugin: { onEvent: reject } },
  'onEvent of another kind': { plugin: { onEvent: thenable } },
  logger: { options: { logger } },
  onPlan: { start: { onPlan: reject } },
  'onPlan of a whole plan': { start: { onPlan: reject, streaming: false } },
  onDelta: { plan: { onDelta: reject } },
  onCall: { plan: { onCall: reject } },
  onAnswer: { plan: { onAnswer: reject } },
  node: { plugin: { node: reject } },
  rank: { plugin: { rank: reject as never } },
  request: { plugin: { request: layer } },
  close: { plugin: { close: reject } },
};

const given = CASES[process.argv[2] ?? ''];
if (given === undefined) throw new Error('no such case');
const card = fakeCard({
  id: 'm',
  tier: 'premium',
  capabilities: ['text', 'streaming', 'json-mode', 'system', 'planning'],
});
const polyphony = await createPolyphony({
  defaults: false,
  plugins: [pay, { name: 'rejecting', ...given.plugin }],
  providers: [fakeProvider({ models: [card], script: () => JSON.stringify(plan) })],
  ...given.options,
});
const ended: string[] = [];
if (given.plan !== undefined) ended.push(await polyphony.plan('pay it', given.plan).then(() => 'planned', String));
else
  ended.push(
    (await (await polyphony.start('pay it', {}, { approval: { sideEffects: 'allow' }, ...given.start })).result())
      .status,
  );
await after(20);
await polyphony.close();
await after(20);
console.log(`${ended.join(' ')} paid=${paid}`);
