import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { Transport, TransportRequest } from '../../src/core/model/provider.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { signatureOf, signedAt } from '../../src/system/signature.ts';
import { fakeCard, fakeProvider, fakeRuntime } from '../../src/testing/fakes.ts';
import { user } from './harness.ts';

const budgets: Config['budgets'] = [{ scope: 'team', usd: 0.01, alerts: [1] }];
const url = 'https://alerts.example/hook/key-in-the-path';

/** A gateway whose only call spends a whole budget, and a receiver that answers with these statuses, the last one for ever. */
function receiver(
  statuses: readonly (number | 'never')[],
  config: Config,
  bytes: () => Promise<Uint8Array> = () => Promise.resolve(new Uint8Array()),
) {
  const runtime = fakeRuntime();
  const got: TransportRequest[] = [];
  const lines: string[] = [];
  const transport: Transport = {
    request(request) {
      got.push(request);
      const status = statuses[Math.min(got.length, statuses.length) - 1];
      if (status === 'never')
        return new Promise((_resolve, reject) => {
          request.signal.addEventListener('abort', () => reject(request.signal.reason));
        });
      return Promise.resolve({
        status: status ?? 200,
        headers: {},
        body: (async function* () {})(),
        bytes,
      });
    },
    close: () => Promise.resolve(),
  };
  const line = (fields: object, message: string): void => void lines.push(`${JSON.stringify(fields)} ${message}`);
  const model = fakeCard({ id: 'cent', price: { input: 0, output: 0, request: 0.01 } });
  const { keyValue, ledger } = memoryStores({ clock: runtime.clock });
  const logger = { debug: line, info: line, warn: line, error: line };
  const providers = [fakeProvider({ models: [model] })];
  const gateway = createGateway({ providers, config, runtime, keyValue, ledger, transport, logger });
  const spend = async () => {
    await gateway.generate(user(), { scopes: [{ kind: 'team', id: 'red' }] });
    await runtime.clock.advance(0);
  };
  return { gateway, runtime, got, lines, spend };
}

beforeEach(() => {
  process.env.ALERTS_SECRET = 'alert-secret';
});
afterEach(() => {
  delete process.env.ALERTS_SECRET;
});

describe('webhooks', () => {
  it('post an alert once, signed over its time and its text', async () => {
    const all = receiver([200], { budgets, webhooks: [{ url, secret: 'env:ALERTS_SECRET' }] });
    await all.spend();
    await all.runtime.clock.advance(3_600_000);
    expect(all.got).toHaveLength(1);
    const [{ headers, body = '', method }] = all.got as [TransportRequest];
    expect(method).toBe('POST');
    expect(JSON.parse(String(body))).toMatchObject({ id: expect.any(String), type: 'budget-alert', share: 1 });
    const signature = headers['polyphony-signature'] ?? '';
    const now = all.runtime.clock.now() - 3_600_000;
    expect(signedAt('alert-secret', signature, String(body), now)).toBe(now);
    expect(signedAt('alert-secret', signature, `${body} `, now)).toBeUndefined();
    expect(signedAt('another', signature, String(body), now)).toBeUndefined();
    expect(signedAt('alert-secret', signature, String(body), now + 300_001)).toBeUndefined();
  });

  it('try a busy or silent receiver five times, and no one else again', async () => {
    const busy = receiver([503, 'never', 429, 200], { budgets, webhooks: [{ url }] });
    await busy.spend();
    await busy.runtime.clock.advance(3_600_000);
    expect(busy.got).toHaveLength(4);
    const gone = receiver([500], { budgets, webhooks: [{ url }] });
    await gone.spend();
    await gone.runtime.clock.advance(3_600_000);
    expect(gone.got).toHaveLength(5);
    const refusing = receiver([404], { budgets, webhooks: [{ url }] });
    await refusing.spend();
    await refusing.runtime.clock.advance(3_600_000);
    expect(refusing.got).toHaveLength(1);
    const told = refusing.lines.filter((line) => line.includes('webhook'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('404');
    expect(told[0]).not.toContain('key-in-the-path');
    expect(refusing.runtime.clock.pending()).toBe(0);
  });

  it('are tried once more when the gateway closes, and leave no timer behind', async () => {
    const all = receiver([500], { budgets, webhooks: [{ url }] });
    await all.spend();
    expect(all.got).toHaveLength(1);
    const closing = all.gateway.close();
    await all.runtime.clock.runAll(1);
    await closing;
    expect(all.got).toHaveLength(2);
    expect(all.runtime.clock.pending()).toBe(0);
  });

  it('are told by the status alone, whatever else they answer', async () => {
    const unreadable = () => Promise.reject(new PolyphonyError('limit-exceeded', 'too long'));
    const said = receiver([200], { budgets, webhooks: [{ url }] }, unreadable);
    await said.spend();
    await said.runtime.clock.advance(3_600_000);
    expect([said.got.length, said.lines.filter((line) => line.includes('could not be told'))]).toEqual([1, []]);
    const busy = receiver([503], { budgets, webhooks: [{ url }] }, unreadable);
    await busy.spend();
    await busy.runtime.clock.advance(3_600_000);
    expect(busy.got).toHaveLength(5);
  });

  it('get only the events that they ask for', async () => {
    const all = receiver([200], { budgets, webhooks: [{ url, events: ['spend-drift'] }] });
    await all.spend();
    expect(all.got).toHaveLength(0);
  });
});

describe('updates of prices', () => {
  const update = JSON.stringify({ 'fake/cent': { input: 0, output: 0, request: 0.02 } });
  const priced = async ({ gateway }: ReturnType<typeof receiver>) =>
    gateway.models().find(({ card }) => card.id === 'cent')?.card.price?.request;

  it('count from then on when they are signed, and never otherwise', async () => {
    const all = receiver([200], { priceUpdates: { secret: 'env:ALERTS_SECRET' } });
    const provider = all.gateway.models()[0]?.provider ?? '';
    const body = update.replace('fake/', `${provider}/`);
    const now = all.runtime.clock.now();
    const send = (secret: string, at: number, text = body) =>
      all.gateway.updatePrices?.(text, signatureOf(secret, at, text));
    await expect(send('another', now)).rejects.toMatchObject({ code: 'invalid-credential' });
    await expect(send('alert-secret', now - 300_001)).rejects.toMatchObject({ code: 'invalid-credential' });
    await expect(send('alert-secret', now, '{"fake/cent": {"input": -1}}')).rejects.toMatchObject({
      code: 'invalid-request',
    });
    for (const [text, message] of [
      [
        '[]',
        'nothing was changed: give an object as the field "prices" of a config.\n- the update is a list: give an object',
      ],
      ['{"fake/cent": {"inptu": 1}}', '- "fake/cent.inptu" is not a field: did you mean fake/cent.input?'],
      [
        '{"fake/cent": {"input": -1, "output": "1"}}',
        '- fake/cent.input is -1: give at least 0\n- fake/cent.output is "1": give a number',
      ],
      [{ 'fake/cent': { input: 1, output: 1 } } as never, 'cannot be an object: give the text of the request'],
    ] as const) {
      const signature = signatureOf('alert-secret', now, String(text));
      const sent = all.gateway.updatePrices?.(text, signature);
      await expect(sent).rejects.toMatchObject({ code: 'invalid-request', message: expect.stringContaining(message) });
    }
    expect(await priced(all)).toBe(0.01);
    await send('alert-secret', now);
    expect(await priced(all)).toBe(0.02);
    await expect(send('alert-secret', now - 1)).rejects.toMatchObject({ code: 'invalid-credential' });
  });

  it('count in the order in which they were signed, also where two arrive at the same time', async () => {
    const all = receiver([200], { priceUpdates: { secret: 'env:ALERTS_SECRET' } });
    const provider = all.gateway.models()[0]?.provider ?? '';
    const now = all.runtime.clock.now();
    const send = (request: number, at: number) => {
      const body = JSON.stringify({ [`${provider}/cent`]: { input: 0, output: 0, request } });
      return all.gateway.updatePrices?.(body, signatureOf('alert-secret', at, body));
    };
    const [later, earlier] = await Promise.allSettled([send(0.03, now), send(0.02, now - 1000)]);
    expect([later?.status, earlier?.status]).toEqual(['fulfilled', 'rejected']);
    expect(await priced(all)).toBe(0.03);
  });

  it('are refused where the config names no secret', async () => {
    const all = receiver([200], {});
    await expect(all.gateway.updatePrices?.(update, 't=1,v1=0')).rejects.toMatchObject({ code: 'invalid-config' });
  });
});
