import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import { allFailed, type TargetFailure } from '../../../src/gateway/request-ring/failures.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/fakes.ts';
import { errorOf, fault, harness, user } from '../harness.ts';

const failed = (name: string, code: 'overloaded' | 'network', reason: string): TargetFailure => {
  const [provider = '', model = ''] = name.split('/');
  return { target: { provider, model }, error: new PolyphonyError(code, `${name}: ${reason}`), fault: 'target' };
};

describe('the error for all targets that failed', () => {
  it('tells each reason once, with all whom it befell', () => {
    const error = allFailed([
      ...['a/one', 'a/two', 'a/three'].map((name) => failed(name, 'overloaded', 'HTTP 500: boom. Try again.')),
      failed('b/one', 'network', 'The connection failed.'),
    ]);
    expect(error.message).toBe(
      'All 4 targets failed. a/one, a/two, a/three: overloaded: HTTP 500: boom. Try again. b/one: network: The connection failed.',
    );
    expect(error.details?.attempts).toHaveLength(4);
  });

  it('tells the reason of targets in several regions once', () => {
    const inRegion = (region: string): TargetFailure => {
      const error = new PolyphonyError('overloaded', `a/one@${region}: failed too often.`);
      return { target: { provider: 'a', model: 'one', region }, error, fault: 'open-breaker' };
    };
    const { message } = allFailed([inRegion('east'), inRegion('west')]);
    expect(message).toBe('All 2 targets failed. a/one@east, a/one@west: overloaded: failed too often.');
  });

  it('names a few of many', () => {
    const names = Array.from({ length: 9 }, (_, index) => `a/m${index}`);
    const { message } = allFailed(names.map((name) => failed(name, 'network', 'Nothing listens.')));
    expect(message).toBe('All 9 targets failed. a/m0, a/m1, a/m2, a/m3 and 5 more: network: Nothing listens.');
  });

  it('leaves the words of a single target alone', () => {
    expect(allFailed([failed('a/one', 'network', 'Nothing listens.')]).message).toBe('a/one: Nothing listens.');
  });

  it('tells once that the breaker blocks the models of a provider that is down', async () => {
    const models = Array.from({ length: 9 }, (_, index) => fakeCard({ id: `m${index}` }));
    const down = fakeProvider({ id: 'a', models, script: () => [fault('network')] });
    const { gateway } = harness({ providers: [down], config: { retry: { retries: 0 } } });
    await errorOf(gateway.generate(user()));
    const { message } = await errorOf(gateway.generate(user()));
    expect(message.match(/circuit breaker blocks it for \d+ s\./g)).toHaveLength(1);
  });
});
