/** What the compiler knows of typed answers: the object, the calls of tools, the events of a stream. */

import { z } from 'zod';
import { z as zod3 } from 'zod3';
import type { Gateway, ModelEvent, OutputFormat } from '../../src/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;
declare const gateway: Gateway;

const City = z.object({ name: z.string(), people: z.number().optional(), tags: z.array(z.string()).default([]) });
type City = z.infer<typeof City>;

export async function objects(): Promise<void> {
  const four = await gateway.generate({ prompt: 'Oslo?', output: City });
  holds<Equal<typeof four.object, City>>();
  holds<Equal<typeof four.text, string>>();
  const list = await gateway.generate({ prompt: 'Which?', output: z.array(City) });
  holds<Equal<typeof list.object, City[]>>();
  const three = await gateway.generate({ messages: [], output: zod3.object({ ok: zod3.boolean() }) });
  holds<Equal<typeof three.object, { ok: boolean }>>();
  const named = await gateway.generate({ prompt: '?', output: { type: 'json', name: 'city', schema: City } });
  holds<Equal<typeof named.object, City>>();
  const short = await gateway.generate({ prompt: '?', output: { name: 'string', kind: 'capital|town' } });
  holds<Equal<typeof short.object.kind, 'capital' | 'town'>>();
}

declare const format: OutputFormat;

export async function without(): Promise<void> {
  const text = await gateway.generate({ prompt: 'Oslo?' });
  // @ts-expect-error: nothing was asked for
  text.object;
  // @ts-expect-error
  text.toolCalls;
  const hint = await gateway.generate({ prompt: 'Oslo?', output: format });
  // @ts-expect-error: a plain format is only asked for, not checked
  hint.object;
  // @ts-expect-error: no such field
  await gateway.generate({ promt: 'Oslo?' });
}

export async function tools(): Promise<void> {
  const response = await gateway.generate({
    prompt: 'Weather in Oslo?',
    tools: [
      { name: 'weather', inputSchema: z.object({ city: z.string(), days: z.coerce.number() }) },
      { name: 'clock', inputSchema: { zone: 'string?' } },
      { name: 'plain', inputSchema: { type: 'object', properties: {} } },
    ],
    output: City,
  });
  // The model may call a tool instead of answering.
  holds<Equal<typeof response.object, City | undefined>>();
  for (const call of response.toolCalls) {
    if (call.name === 'weather') holds<Equal<typeof call.arguments, { city: string; days: number }>>();
    if (call.name === 'clock') holds<Equal<typeof call.arguments.zone, string | undefined>>();
    // @ts-expect-error: no tool of this name
    if (call.name === 'wether') return;
  }
}

export async function streams(): Promise<void> {
  for await (const event of gateway.stream({ prompt: 'Oslo?', output: City })) {
    if (event.type === 'object') holds<Equal<typeof event.object, City>>();
    if (event.type === 'partial-object') holds<Equal<typeof event.object.name, string | undefined>>();
  }
  for await (const event of gateway.stream({ prompt: 'Oslo?' })) holds<Equal<typeof event, ModelEvent>>();
}
