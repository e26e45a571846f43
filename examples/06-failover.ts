/** Two providers, one of which really fails: a server on this machine that answers 503. The call fails over. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPolyphony, definePlugin, textOf } from 'polyphony';
import { openaiCompatible } from 'polyphony/plugins/providers/openai-compatible';

/** A fake of a chat-completions server, only for this example. */
async function serve(status: number, body: object): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((request, response) => {
    request
      .resume()
      .on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

const broken = await serve(503, { error: { message: 'out of service' } });
const working = await serve(200, {
  id: 'answer-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Good evening.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 3 },
});

const card = { price: { input: 1, output: 2 }, tier: 'premium' as const };
const polyphony = await createPolyphony({
  plugins: [
    definePlugin({
      name: 'two-servers',
      providers: [
        openaiCompatible({ id: 'first', baseURL: broken.url, models: [{ id: 'voice', ...card }] }),
        openaiCompatible({ id: 'second', baseURL: working.url, models: [{ id: 'voice', ...card }] }),
      ],
    }),
  ],
  config: {
    routes: { greeting: { chain: ['first/voice', 'second/voice'] } },
    retry: { retries: 1, baseMs: 20 },
  },
});

const response = await polyphony.gateway.generate({
  model: { route: 'greeting' },
  messages: [{ role: 'user', content: 'Say good evening.' }],
});
for (const { target, outcome, error } of response.attempts)
  console.log(`${target.provider}: ${error?.code ?? outcome}`);
console.log(`${textOf(response)} (${response.target.provider})`);

await polyphony.close();
broken.server.close();
working.server.close();
if (response.target.provider !== 'second') throw new Error('the call should have failed over to the second provider');
