/** Prompts in files: a plan names one, the versions share the runs by weight, and the run keeps the text that it used. */
import { createPolyphony, definePlugin, type ModelCard, type Plan } from 'polyphony';

const card: ModelCard = {
  id: 'sorter',
  operations: ['chat'],
  tier: 'fast',
  strengths: {},
  capabilities: ['text', 'streaming'],
  contextTokens: 1000,
  maxOutputTokens: 10,
  price: { input: 0, output: 0 },
  retention: 'none',
};

/** A model that knows one word of each kind, and shows what it was asked. */
const sorter = definePlugin({
  name: 'sorter',
  providers: [
    {
      id: 'sorter',
      models: [card],
      async *stream({ request }) {
        const asked = request.operation === 'chat' ? String(request.messages.at(-1)?.content) : '';
        const text = asked.includes('parcel has') ? 'delivery' : 'billing';
        console.log(`  asked: ${asked.split('\n')[0]}`);
        yield { type: 'text-delta', text };
        yield { type: 'finish', reason: 'stop', usage: { input: 20, output: 1 } };
      },
    },
  ],
});

const classify = (version?: number): Plan => ({
  version: 1,
  goal: 'Sort a message',
  input: { message: 'string' },
  nodes: [
    {
      id: 'kind',
      use: 'llm',
      in: {
        prompt: {
          name: 'classify',
          ...(version === undefined ? {} : { version }),
          inputs: { message: '{{input.message}}' },
        },
      },
    },
  ],
  output: '{{kind.text}}',
});

const message = 'My parcel has not come.';
const polyphony = await createPolyphony({
  plugins: [sorter],
  config: { prompts: { folder: 'examples/material/prompts' } },
});
try {
  console.log('version 1, pinned:');
  const pinned = await polyphony.run(classify(1), { message });
  const kind = pinned.status === 'done' ? pinned.output : pinned.status;
  console.log(`  answered: ${kind}`);
  const shares = new Map<string, number>();
  for (let count = 0; count < 8; count += 1) {
    // The id of a run decides its version, so the same run has the same one wherever it is resumed.
    const { repaired = [] } = await polyphony.run(classify(), { message }, { runId: `run-${count}` });
    const version = repaired.find(({ code }) => code === 'prompt.resolved')?.message ?? 'none';
    shares.set(version, (shares.get(version) ?? 0) + 1);
  }
  for (const [version, runs] of shares) console.log(`${runs} of 8 runs: ${version}`);
  if (kind !== 'delivery' || shares.has('none')) throw new Error('a prompt was not used');
} finally {
  await polyphony.close();
}
