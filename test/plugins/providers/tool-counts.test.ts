/** A request with more tools than the pages of a vendor state is flagged before it is sent. */
import { expect, test } from 'vitest';
import { deepseek } from '../../../plugins/providers/deepseek.ts';
import { groq } from '../../../plugins/providers/groq.ts';
import { xai } from '../../../plugins/providers/xai.ts';
import { createPolyphony } from '../../../src/polyphony.ts';

const tools = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `tool_${index}`, inputSchema: { type: 'object' } }));

test.each([
  ['groq', groq, 128],
  ['deepseek', deepseek, 128],
  ['xai', xai, 200],
] as const)('%s: each model with tools', async (_, plugin, count) => {
  const polyphony = await createPolyphony({ plugins: [], providers: [plugin({ apiKey: 'k' })] });
  const adaptations = (many: number) =>
    polyphony.gateway
      .explain({ operation: 'chat', messages: [{ role: 'user', content: 'Hi' }], tools: tools(many) })
      .candidates.flatMap(({ adaptations: all = [] }) => all);
  expect(adaptations(count)).toEqual([]);
  const flagged = adaptations(count + 1);
  expect(flagged.length).toBeGreaterThan(0);
  for (const text of flagged) expect(text).toContain(`takes at most ${count} tools, but the request has ${count + 1}`);
  await polyphony.close();
});
