/** Deployments with the same terms are asked once; those that differ in any one of them are asked each. */
import { describe, expect, it } from 'vitest';
import type { ModelRequest } from '../../../src/core/model/model.ts';
import type { ModelCard } from '../../../src/core/model/provider.ts';
import { needsOf } from '../../../src/gateway/calls/requirements.ts';
import { satisfying } from '../../../src/gateway/routing/negotiate.ts';
import { createRegistry } from '../../../src/gateway/routing/registry.ts';
import { createStatistics } from '../../../src/gateway/routing/statistics.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/fakes.ts';

const chat: ModelRequest = { operation: 'chat', messages: [{ role: 'user', content: 'x' }] };
const tool = { name: 'f', inputSchema: {} };

/** What only the first of two cards satisfies. */
const CASES: readonly (readonly [string, Partial<ModelCard>, Partial<ModelCard>, ModelRequest])[] = [
  ['operations', { operations: ['embed'] }, { operations: ['chat'] }, { operation: 'embed', input: ['x'] }],
  ['capabilities', { capabilities: ['text', 'tools'] }, { capabilities: ['text'] }, { ...chat, tools: [tool] }],
  ['dedicatedTo', {}, { dedicatedTo: 'reasoning' }, chat],
  ['retention', { retention: 'none' }, { retention: 'unknown' }, { ...chat, requires: { retention: 'none' } }],
  ['regions', { regions: ['eu'] }, { regions: ['us'] }, { ...chat, requires: { regions: ['eu'] } }],
  ['regions, none known', { regions: ['eu'] }, {}, { ...chat, requires: { regions: ['eu'] } }],
  ['languages', { languages: ['de'] }, { languages: ['en'] }, { ...chat, requires: { languages: ['de'] } }],
  ['languages, none claimed', {}, { languages: ['en'] }, { ...chat, requires: { languages: ['de'] } }],
  [
    'toolSupport',
    {},
    { toolSupport: { otherwise: 'refuse', count: 1 } },
    { ...chat, tools: [tool, { ...tool, name: 'g' }] },
  ],
];

function servedBy(models: readonly ModelCard[], request: ModelRequest, regions?: readonly string[]): readonly string[] {
  const provider = { ...fakeProvider({ id: 'p', models }), ...(regions && { regions }) };
  const registry = createRegistry([provider], {}, createStatistics());
  const question = { request, needs: needsOf(request), registry, config: {}, nowMs: 0 };
  return satisfying(registry.deployments, question).map(({ target }) => `${target.model}${target.region ?? ''}`);
}

describe('terms', () => {
  it.each(CASES)('tell %s apart, whichever is asked first', (_, good, bad, request) => {
    const cards = [fakeCard({ id: 'good', ...good }), fakeCard({ id: 'bad', ...bad })];
    expect(servedBy(cards, request)).toEqual(['good']);
    expect(servedBy([...cards].reverse(), request)).toEqual(['good']);
  });

  it('tell the regions of one model apart', () => {
    const request: ModelRequest = { ...chat, requires: { regions: ['us'] } };
    expect(servedBy([fakeCard({ id: 'm' })], request, ['eu', 'us'])).toEqual(['mus']);
    expect(servedBy([fakeCard({ id: 'm' })], request, ['us', 'eu'])).toEqual(['mus']);
  });
});
