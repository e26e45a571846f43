/** Rules that came after a run began do not keep it from being resumed. */
import { expect, it } from 'vitest';
import { createPolyphony, definePlugin } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeProvider } from '../../src/testing/fakes.ts';

const labelling = (labels: readonly string[]) =>
  definePlugin({
    name: 'labels',
    tools: [
      {
        name: 'label',
        description: 'Gives a label.',
        input: { type: 'object' },
        output: { type: 'object', properties: { label: { enum: [...labels] } }, required: ['label'] },
        run: async () => ({ label: 'a' }),
      },
    ],
  });

it('resumes a run whose condition compares with a choice that is gone', async () => {
  const stores = memoryStores();
  const open = (labels: readonly string[]) =>
    createPolyphony({ stores, providers: [fakeProvider({})], plugins: [labelling(labels)] });
  const plan = {
    version: 1,
    nodes: [
      { id: 'kind', use: 'tool:label' },
      { id: 'ask', use: 'human', in: { question: 'Go on?' }, needs: ['kind'] },
      { id: 'old', use: 'value', in: { x: 1 }, when: "kind.label == 'b'", needs: ['ask'] },
      { id: 'text', use: 'value', in: { x: 'docs {kind.label}' } },
    ],
    output: { kind: '{{kind.label}}', old: '{{old.x}}', text: '{{text.x}}', said: '{{ask.answer}}' },
  };
  const before = await open(['a', 'b']);
  const checked = await before.validate(plan, { repair: false });
  if (checked.plan === undefined) throw new Error(JSON.stringify(checked.issues));
  const handle = await before.start(checked.plan);
  expect((await handle.result()).status).toBe('suspended');
  await before.close();
  const after = await open(['a', 'c']);
  expect((await after.validate(plan, { repair: false })).issues.map(({ code }) => code)).toContain('condition.never');
  const resumed = await after.runs.answer(handle.runId, 'ask', 'yes');
  // Nor is anything of its plan repaired.
  expect((await resumed.result()).output).toEqual({ kind: 'a', old: null, text: 'docs {kind.label}', said: 'yes' });
  await after.close();
});
