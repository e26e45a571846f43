/** What the gateway tells of itself reaches everybody who listens and the log, and no listener can stop it. */
import { expect, test } from 'vitest';
import type { GatewayEvent } from '../../src/core/gateway.ts';
import { createGatewayEvents } from '../../src/gateway/gateway-events.ts';
import { fakeClock, fakeProvider } from '../../src/testing/fakes.ts';
import { fault, harness, user } from './harness.ts';

const PROBLEM = {
  type: 'breaker-opened',
  level: 'warn',
  message: 'fake failed too often.',
  what: 'fake',
  until: 9,
} as const;

test('an event reaches every listener and the log, until the listening ends', () => {
  const lines: unknown[] = [];
  const line = (fields: object, message: string): void => void lines.push([fields, message]);
  const logger = { debug: line, info: line, warn: line, error: line };
  const events = createGatewayEvents({ clock: fakeClock(5), logger });
  const seen: GatewayEvent[] = [];
  events.listen(() => {
    throw new Error('no');
  });
  events.listen(() => Promise.reject(new Error('later')));
  const leave = events.listen((event) => seen.push(event));
  events.tell(PROBLEM);
  leave();
  events.tell(PROBLEM);
  expect(seen).toEqual([{ ...PROBLEM, at: 5 }]);
  expect(lines).toContainEqual([{ type: 'breaker-opened', what: 'fake', until: 9, at: 5 }, 'fake failed too often.']);
});

test('a breaker tells once that it opened, and once that it closed', async () => {
  let isDown = true;
  const provider = fakeProvider({ script: () => (isDown ? [fault('overloaded')] : 'ok') });
  const { gateway, runtime, run } = harness({ providers: [provider], config: { retry: { retries: 0 } } });
  const seen: GatewayEvent[] = [];
  gateway.onEvent?.((event) => {
    if (event.type.startsWith('breaker')) seen.push(event);
  });
  const ask = () => run(gateway.generate(user())).catch(() => undefined);
  for (let call = 0; call < 12; call += 1) await ask();
  expect(seen.map(({ type, level }) => [type, level])).toEqual([
    ['breaker-opened', 'warn'],
    ['breaker-opened', 'warn'],
  ]);
  isDown = false;
  await runtime.clock.advance(60_000);
  await ask();
  expect(seen.slice(2)).toMatchObject([
    { type: 'breaker-closed', what: 'fake' },
    { type: 'breaker-closed', what: 'fake/one' },
  ]);
});
