/** What was repaired in a plan is told with its run; what a program or a journal names is never repaired. */
import { describe, expect, it } from 'vitest';
import type { Logger, Plan, PolyphonyOptions, RunEvent, Tool } from '../../src/index.ts';
import { createPolyphony, definePlugin, tool, workflow } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';

const quiet: Tool = {
  name: 'weather_report',
  description: 'Tells the weather.',
  input: { type: 'object' },
  output: { type: 'object', properties: { forecast: { type: 'string' } }, required: ['forecast'] },
  sideEffects: false,
  run: async () => ({ forecast: 'rain' }),
};

const PLANNER = fakeCard({ id: 'one', capabilities: [...fakeCard({ id: 'one' }).capabilities, 'planning'] });

const MISSPELT: Plan = { version: 1, nodes: [{ id: 'a', use: 'tool:weather-report' }], output: '{{a.forcast}}' };

async function open(more: Partial<PolyphonyOptions> = {}) {
  const warned: object[] = [];
  const ignore = (): void => {};
  const logger: Logger = { debug: ignore, info: ignore, error: ignore, warn: (entry) => void warned.push(entry) };
  const ran: string[] = [];
  const acting = (name: string): Tool => ({
    name,
    description: name,
    input: { type: 'object' },
    run: async () => {
      ran.push(name);
      return {};
    },
  });
  const plugin = definePlugin({ name: 'own', tools: [quiet, acting('unmount_disk'), acting('delete_users')] });
  const polyphony = await createPolyphony({ plugins: [plugin], defaults: false, providers: [], logger, ...more });
  return { polyphony, warned, ran };
}

async function eventsOf(run: { events(): AsyncIterable<RunEvent> }): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.events()) events.push(event);
  return events;
}

describe('a run', () => {
  const expected = [
    expect.objectContaining({ code: 'name.corrected', path: '/nodes/0/use' }),
    expect.objectContaining({ code: 'name.corrected', path: '/output' }),
  ];

  it('tells what was repaired: in its outcome, its events, its journal, its forks and the log', async () => {
    const stores = memoryStores();
    const { polyphony, warned } = await open({ stores });
    const handle = await polyphony.start(MISSPELT);
    const events = await eventsOf(handle);
    expect(await handle.result()).toMatchObject({ status: 'done', output: 'rain', repaired: expected });
    expect(events[0]).toMatchObject({ type: 'run-started', repaired: expected });
    expect(await polyphony.runs.show(handle.runId)).toMatchObject({ repaired: expected });
    const fork = await polyphony.runs.fork(handle.runId, { from: 'a' });
    expect(await fork.result()).toMatchObject({ status: 'done', repaired: expected });
    expect(warned).toContainEqual(expect.objectContaining({ runId: handle.runId, repaired: expected }));
    expect(
      await polyphony.run({ ...MISSPELT, nodes: [{ id: 'a', use: 'tool:weather_report' }], output: '{{a.forecast}}' }),
    ).not.toHaveProperty('repaired');
    await polyphony.close();
  });

  it.each([true, false])('tells it of a plan that a model wrote; streamed: %s', async (streaming) => {
    const provider = fakeProvider({ models: [PLANNER], script: () => JSON.stringify(MISSPELT) });
    const { polyphony, warned } = await open({ providers: [provider] });
    const handle = await polyphony.start('What is the weather like?', undefined, { streaming });
    const events = await eventsOf(handle);
    expect(await handle.result()).toMatchObject({ status: 'done', repaired: expected });
    const told = events.filter((event) => 'repaired' in event && event.repaired !== undefined);
    expect(told.map(({ type }) => type)).toEqual([streaming ? 'plan-revised' : 'run-started']);
    expect(warned.filter((entry) => 'repaired' in entry)).toHaveLength(1);
    expect(await polyphony.runs.show(handle.runId)).toMatchObject({ repaired: expected });
    await polyphony.close();
  });

  it('asks the planner again, and runs nothing, where another tool is named', async () => {
    const plan = (use: string) => JSON.stringify({ version: 1, nodes: [{ id: 'a', use, in: {} }], output: 'done' });
    const answers = [plan('tool:mount_disk'), plan('tool:delete_user'), plan('tool:weather_report')];
    const prompts: string[] = [];
    const provider = fakeProvider({
      models: [PLANNER],
      script: (request) => {
        prompts.push(JSON.stringify(request));
        return answers[prompts.length - 1] ?? '';
      },
    });
    const { polyphony, ran } = await open({ providers: [provider] });
    const result = await polyphony.run('Mount the disk.');
    expect(result).toMatchObject({ status: 'done' });
    expect(prompts).toHaveLength(3);
    expect(prompts[1]).toContain('unmount_disk');
    expect(ran).toEqual([]);
    await polyphony.close();
  });
});

describe('a workflow of a program', () => {
  const of = (name: string) =>
    workflow({ id: 'report' })
      .node('a', tool<object, { readonly forecast: string }>(name), () => ({ in: {} }))
      .output((c) => c.a.forecast);

  it('is never repaired: a name that does not exist is an error with the nearest one, alone or nested', async () => {
    const { polyphony } = await open();
    const nearly = of('weather-report');
    await expect(polyphony.run(nearly, {})).rejects.toMatchObject({
      code: 'invalid-plan',
      message: expect.stringContaining('weather_report'),
    });
    const outer = workflow({ id: 'outer' })
      .node('inner', nearly, () => ({ in: {} }))
      .output((c) => c.inner);
    await expect(polyphony.run(outer, {})).rejects.toMatchObject({ code: 'invalid-plan' });
    await polyphony.close();
  });

  it('that was refused does not keep its id', async () => {
    const { polyphony } = await open();
    await expect(polyphony.run(of('wether'), {})).rejects.toMatchObject({ code: 'invalid-plan' });
    expect(polyphony.catalogue().steps.has('workflow:report')).toBe(false);
    expect(await polyphony.run(of('weather_report'), {})).toMatchObject({ status: 'done', output: 'rain' });
    expect(polyphony.catalogue().steps.has('workflow:report')).toBe(true);
    await polyphony.close();
  });
});

describe('a run that continues', () => {
  it('is not repaired against what is registered meanwhile', async () => {
    const stores = memoryStores();
    const asking: Plan = {
      version: 1,
      nodes: [
        { id: 'ask', use: 'human', in: { question: 'Go?' } },
        { id: 'a', use: 'tool:weather_report', needs: ['ask'] },
      ],
    };
    const { polyphony } = await open({ stores: { ...stores, close: async () => {} } });
    const { runId } = await polyphony.run(asking);
    await polyphony.close();
    const renamed = definePlugin({ name: 'own', tools: [{ ...quiet, name: 'weatherReport' }] });
    const { polyphony: later } = await open({ stores, plugins: [renamed] });
    await later.engine.answer(runId, 'ask', 'yes');
    await expect(later.resume(runId)).rejects.toMatchObject({
      code: 'invalid-plan',
      message: expect.stringContaining('weatherReport'),
    });
    await later.close();
  });
});

describe('an option that does not exist', () => {
  it.each([
    ['provider', 'providers'],
    ['plugin', 'plugins'],
    ['Config', 'config'],
    ['store', 'stores'],
  ])('is refused: %s, for %s', async (given, meant) => {
    const options = { plugins: [], [given]: [] } as PolyphonyOptions;
    const error = createPolyphony(options);
    await expect(error).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining(`did you mean "${meant}"`),
    });
  });
});
