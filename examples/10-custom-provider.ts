/** A custom provider is a plugin of one file. This one answers from a table. */
import { createPolyphony, definePlugin, textOf } from 'polyphony';

const CAPITALS: Readonly<Record<string, string>> = { france: 'Paris', japan: 'Tokyo', peru: 'Lima' };

const capitals = definePlugin({
  name: 'capitals',
  providers: [
    {
      id: 'table',
      models: [
        {
          id: 'capitals',
          operations: ['chat'],
          tier: 'fast',
          strengths: { geography: 1 },
          capabilities: ['text', 'streaming'],
          contextTokens: 1000,
          maxOutputTokens: 10,
          price: { input: 0, output: 0 },
          retention: 'none',
        },
      ],
      async *stream({ request }) {
        const question = request.operation === 'chat' ? JSON.stringify(request.messages).toLowerCase() : '';
        const country = Object.keys(CAPITALS).find((name) => question.includes(name)) ?? '';
        yield { type: 'text-delta', text: CAPITALS[country] ?? 'not in the table' };
        yield { type: 'finish', reason: 'stop', usage: { input: 5, output: 1 } };
      },
    },
  ],
});

const polyphony = await createPolyphony({ plugins: [capitals] });
const response = await polyphony.gateway.generate({ messages: [{ role: 'user', content: 'The capital of Japan?' }] });
console.log(textOf(response));
await polyphony.close();
