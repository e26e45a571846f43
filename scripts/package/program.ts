/** A program of a project that installed the package: scripts/package.ts compiles and runs it there, without any key. */
import { createPolyphony, definePlugin, llm, type Plan, type Provider, t, workflow } from 'polyphony';
import { formatUsd, textOf } from 'polyphony/kit';
import { openai } from 'polyphony/plugins/providers/openai';
import { memoryStores } from 'polyphony/stores/memory';
import { sqliteStores } from 'polyphony/stores/sqlite';
import { fakeProvider } from 'polyphony/testing';
import ask from 'polyphony/workflows/ask';
import askPlan from 'polyphony/workflows/ask.plan.json' with { type: 'json' };

function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`The installed package fails: ${what}`);
}

const fake: Provider = fakeProvider({ script: () => 'fine' });
const polyphony = await createPolyphony({
  plugins: [definePlugin({ name: 'mine', providers: [fake] })],
  stores: sqliteStores({ path: 'runs.db' }),
});
const response = await polyphony.gateway.generate({ messages: [{ role: 'user', content: 'Say fine' }] });
assert(textOf(response) === 'fine', 'a call');
assert(formatUsd(0).startsWith('$'), 'the kit');

const say = workflow({ id: 'say', input: { word: 'string' } })
  .node('said', llm, (c) => ({ in: { prompt: t`Say ${c.input.word}` } }))
  .output((c) => ({ text: c.said.text }));
const { output } = await polyphony.run(say, { word: 'fine' });
const text: string = output.text;
assert(text === 'fine', 'a workflow');

const plan: Plan = {
  version: 1,
  nodes: [{ id: 'a', use: 'llm', in: { prompt: 'Say fine' } }],
  output: '{{a.text}}',
};
const result = await polyphony.run(plan);
assert(result.status === 'done' && result.output === 'fine', 'a plan');
assert((await polyphony.engine.list()).length === 2, 'the store on disk');
assert(ask.id === 'ask' && askPlan.version === 1, 'a ready-made workflow');
assert(openai({ apiKey: 'none' }).id === 'openai', 'a provider');
await polyphony.close();

const inMemory = await createPolyphony({ providers: [fake], stores: memoryStores() });
await inMemory.close();
console.log(`the program ran on Node ${process.version}`);
