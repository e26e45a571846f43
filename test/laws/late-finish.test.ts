/** An answer whose finish reason has arrived is complete: a timeout that strikes while its usage is awaited does not take it. */
import { describe, expect, test } from 'vitest';
import { abortError, PolyphonyError } from '../../src/core/errors.ts';
import type { ModelEvent } from '../../src/core/model/model.ts';
import type { Transport } from '../../src/core/model/provider.ts';
import { onAbort } from '../../src/core/on-abort.ts';
import { fakeCard } from '../../src/testing/fakes.ts';
import { WIRES } from '../hostile/providers/wires.ts';
import { chat, speak } from '../plugins/providers/attempts.ts';

/** The body holds this and then nothing, until the signal aborts. */
const silentAfter = (text: string): Transport => ({
  async request({ signal }) {
    const body = (async function* () {
      yield Buffer.from(text);
      await new Promise((_, reject) => {
        onAbort(signal, () => reject(abortError(signal)));
      });
    })();
    const bytes = (): never => {
      throw new Error('it is read in pieces');
    };
    return { status: 200, headers: { 'content-type': 'text/event-stream' }, body, bytes };
  },
  close: async () => undefined,
});

async function read(body: string, reason: PolyphonyError) {
  const provider = await WIRES.chat.provider('here', 'http://here/v1', [fakeCard({ id: 'm' })]);
  const controller = new AbortController();
  const events: ModelEvent[] = [];
  try {
    for await (const event of speak(provider, silentAfter(body), chat('Hi'), { signal: controller.signal })) {
      events.push(event);
      if (event.type === 'text-delta') setImmediate(() => controller.abort(reason));
    }
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}

const delta = (fields: object, reason: string | null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: fields, finish_reason: reason }] })}\n\n`;
const TOLD = delta({ content: 'Good day.' }, null) + delta({}, 'stop');
const timeout = new PolyphonyError('timeout', 'It sent nothing for a while. Try again.');

describe('an answer whose finish reason has arrived', () => {
  test('is not taken by a timeout, and says that its usage is missing', async () => {
    const { events, error } = await read(TOLD, timeout);
    expect(error).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
    expect(events.at(-2)).toMatchObject({ type: 'warning', warning: { code: 'usage-missing' } });
  });

  test('is taken by a caller who cancels', async () => {
    const { error } = await read(TOLD, new PolyphonyError('cancelled', 'The caller left.'));
    expect(error).toMatchObject({ code: 'cancelled' });
  });

  test('is another matter than one that has only begun', async () => {
    const { events, error } = await read(delta({ content: 'Good day.' }, null), timeout);
    expect(error).toMatchObject({ code: 'timeout' });
    expect(events.some(({ type }) => type === 'finish')).toBe(false);
  });
});
