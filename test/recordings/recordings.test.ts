/** Real exchanges, played back. They lie outside of the repository: set POLYPHONY_SHARED to the folder that holds them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import { createTransport } from '../../src/gateway/transport/transport.ts';
import { ADAPTERS } from './adapters.ts';
import {
  attemptOf,
  checkFixture,
  haveRecordings,
  outcomeOf,
  type ReplayServer,
  readIndex,
  startReplay,
} from './runner.ts';

const index = haveRecordings ? readIndex() : [];
const fixtures = index.filter(({ protocol }) => Object.hasOwn(ADAPTERS, protocol));
/** Long enough to be cut in the middle, without an error of their own. */
const streams = fixtures.filter(({ streaming, expected }) => streaming && !expected.error && expected.finish);

describe.skipIf(!haveRecordings)('recordings (skipped where POLYPHONY_SHARED holds none)', () => {
  const transport = createTransport();
  let server: ReplayServer;
  beforeAll(async () => {
    server = await startReplay();
  });
  afterAll(async () => {
    await transport.close();
    await server.stop();
  });

  const run = async (id: string, protocol: string, options: string, signal = new AbortController().signal) => {
    const adapter = ADAPTERS[protocol];
    if (adapter === undefined) throw new Error(`There is no adapter for "${protocol}".`);
    const provider = await adapter.provider(server.base(id, options));
    return outcomeOf(provider, attemptOf(provider, adapter.request, signal), transport);
  };

  test('every protocol that was recorded has an adapter', () => {
    expect(index.length).toBeGreaterThan(0);
    expect(index.filter(({ protocol }) => !Object.hasOwn(ADAPTERS, protocol))).toEqual([]);
  });

  test.each(fixtures)('$protocol: $id agrees however it is sent', async (fixture) => {
    expect(await checkFixture(fixture, server, transport)).toBeUndefined();
  });

  describe.each(streams)('$id', ({ id, protocol }) => {
    test.each(['cut=0.3', 'cut=0.6', 'eof=0.3', 'eof=0.6'])('%s is an error, never a clean end', async (options) => {
      const outcome = await run(id, protocol, options);
      const error = 'error' in outcome ? outcome.error : undefined;
      expect(error).toBeInstanceOf(PolyphonyError);
      expect(['network', 'truncated']).toContain((error as PolyphonyError).code);
    });
  });

  test('a stall is ended by cancelling', async () => {
    const [fixture] = streams;
    if (fixture === undefined) throw new Error('There is no stream among the recordings.');
    const controller = new AbortController();
    const pending = run(fixture.id, fixture.protocol, 'stall=0.5', controller.signal);
    const stalled = await Promise.race([pending, new Promise((resolve) => setTimeout(resolve, 100, 'stalled'))]);
    expect(stalled).toBe('stalled');
    controller.abort();
    expect(await pending).toMatchObject({ error: { code: 'cancelled' } });
  });

  test.each([
    [500, 'overloaded'],
    [503, 'overloaded'],
    [529, 'overloaded'],
    [429, 'rate-limited'],
  ])('HTTP %i in place of an answer is %s', async (status, code) => {
    const [fixture] = streams;
    expect(await run(fixture?.id ?? '', fixture?.protocol ?? '', `status=${status}`)).toMatchObject({
      error: { code },
    });
  });
});
