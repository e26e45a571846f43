import { expect, it } from 'vitest';
import { createPolyphony, definePlugin, defineTool } from '../../src/index.ts';

const search = defineTool({
  name: 'search',
  description: 'My own search.',
  input: { query: 'string' },
  run: async () => 1,
});
const search2 = defineTool({ ...search, description: 'Another one.' });

it("a tool of the caller's takes the place of a default one of its name, and the others stay", async () => {
  const polyphony = await createPolyphony({
    environment: false,
    plugins: [definePlugin({ name: 'mine', tools: [search] })],
  });
  expect(polyphony.catalogue().steps.get('tool:search')?.description).toBe('My own search.');
  expect(polyphony.catalogue().steps.has('tool:split')).toBe(true);
  await polyphony.close();
});

it("two of the caller's are still refused", async () => {
  const plugins = [definePlugin({ name: 'mine', tools: [search] }), definePlugin({ name: 'other', tools: [search2] })];
  await expect(createPolyphony({ environment: false, plugins })).rejects.toMatchObject({ code: 'invalid-config' });
});
