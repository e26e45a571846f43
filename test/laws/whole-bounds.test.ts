/**
 * A whole answer is bounded by its request, as a stream is: on every wire, with and without a label, it is cut off at the size that its
 * tokens allow, ends as `truncated`, and costs what an answer that was cut costs.
 */
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ChatRequest } from '../../src/core/model/model.ts';
import type { LedgerRow } from '../../src/core/stores.ts';
import { createGateway, type GatewayHandle } from '../../src/gateway/create-gateway.ts';
import { createTransport } from '../../src/gateway/transport/transport.ts';
import { ANY_ANSWER_BYTES, answerBytes } from '../../src/kit/streams/answer-body.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { systemRuntime } from '../../src/system/clock.ts';
import { drain, user } from '../gateway/harness.ts';
import { loopback } from '../kit/loopback.ts';
import { WIRES } from './wire-answers.ts';

const MIB = 1_048_576;
/** What the sockets and the system hold of a body that nobody reads any more. */
const ON_ITS_WAY = 8 * MIB;
const LONG = 'y'.repeat(MIB);

/** Sends one document of so many MiB of text, as long as somebody takes it. */
async function longAnswer(wire: string, type: string | undefined, mebibytes: number) {
  const counts = { sent: 0 };
  const [before = '', after = ''] = WIRES[wire]?.whole({ text: '@@', ending: 'stop' }).split('@@') ?? [];
  const write = (response: ServerResponse, left: number): void => {
    if (response.destroyed) return;
    if (left === 0) response.end(after);
    else {
      counts.sent += MIB;
      response.write(LONG, () => write(response, left - 1));
    }
  };
  const server = await loopback((_, response) => {
    if (type !== undefined) response.setHeader('content-type', type);
    response.write(before);
    write(response, mebibytes);
  });
  return { server, counts };
}

const opened: GatewayHandle[] = [];
afterEach(async () => {
  for (const gateway of opened.splice(0)) await gateway.close();
});

function world(wire: string, url: string) {
  const provider = WIRES[wire]?.provider(url);
  if (provider === undefined) throw new Error(`no wire ${wire}`);
  const stores = memoryStores();
  const gateway = createGateway({
    providers: [provider],
    config: { retry: { retries: 0 } },
    runtime: systemRuntime,
    keyValue: stores.keyValue,
    ledger: stores.ledger,
    transport: createTransport(),
  });
  opened.push(gateway);
  const ask = async (more: Partial<ChatRequest>, streaming: boolean): Promise<PolyphonyError | undefined> => {
    const request = { ...user(), ...more };
    if (streaming) return (await drain(gateway.stream(request))).error;
    const error: unknown = await gateway.generate(request).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined || error instanceof PolyphonyError) return error;
    throw error;
  };
  const booked = async () => {
    const rows: LedgerRow[] = [];
    for await (const row of stores.ledger.rows()) rows.push(row);
    return rows;
  };
  return { ask, booked };
}

const CASES = Object.keys(WIRES).flatMap((wire) =>
  [undefined, 'application/json'].flatMap((type) => [true, false].map((streaming) => ({ wire, type, streaming }))),
);

describe.each(CASES)('$wire, as $type, streamed: $streaming', ({ wire, type, streaming }) => {
  it('is cut off at the size that its tokens allow', async () => {
    const { server, counts } = await longAnswer(wire, type, 60);
    const { ask, booked } = world(wire, server.url);
    const error = await ask({ maxOutputTokens: 700 }, streaming);
    expect(error, String(error)).toMatchObject({ code: 'truncated', retryable: false });
    expect(counts.sent).toBeLessThan(answerBytes(700) + ON_ITS_WAY);
    // What arrived was generated, up to the most that was asked for.
    const output = streaming ? expect.any(Number) : 700;
    expect(await booked()).toMatchObject([{ outcome: 'error', estimated: true, usage: { output } }]);
  });
});

describe.each(Object.keys(WIRES))('%s', (wire) => {
  it('takes a whole answer of the size that its tokens allow', async () => {
    const { server } = await longAnswer(wire, 'application/json', 7);
    const { ask } = world(wire, server.url);
    expect(7 * MIB).toBeLessThan(ANY_ANSWER_BYTES);
    expect(await ask({ maxOutputTokens: 10 }, false)).toBeUndefined();
  });

  it('takes a larger one where a field of the provider may ask for what is no text', async () => {
    const { server, counts } = await longAnswer(wire, 'application/json', 12);
    const { ask } = world(wire, server.url);
    const error = await ask({ maxOutputTokens: 10, providerOptions: { other: {} } }, false);
    // Its text is bounded all the same, once it can be told from the rest.
    expect(error?.message).toMatch(/sent an answer of more than 8391168 bytes|JSON element is larger/);
    expect(counts.sent).toBe(12 * MIB);
  });
});
