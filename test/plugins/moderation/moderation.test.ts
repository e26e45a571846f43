import fc from 'fast-check';
import { type ModelEvent, type ModelRequest, PolyphonyError } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { fakeCard, fakeProvider, finish, type ScriptStep } from 'polyphony/testing';
import { describe, expect, it } from 'vitest';
import {
  type Classifier,
  localRules,
  type ModerationOptions,
  moderation,
  moderationEndpoint,
} from '../../../plugins/moderation/moderation.ts';
import { chat, eventsOf, partsOf, pluginRing, requestLayer } from '../plugin-ring.ts';

const rules = localRules({
  rules: [
    { category: 'violence', terms: ['kill', 'blow up'], except: ['kill the process', 'do not kill'] },
    { category: 'secrets', terms: ['codename*', '秘密'] },
  ],
});

const deltas = (text: string, size: number, type: 'text-delta' | 'reasoning-delta' = 'text-delta'): ModelEvent[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, index) => ({
    type,
    text: text.slice(index * size, (index + 1) * size),
  }));

async function ring(options: Partial<ModerationOptions>, script: readonly ScriptStep[] | string = 'ok') {
  const provider = fakeProvider({
    models: [fakeCard({ id: 'one' }), fakeCard({ id: 'guard', operations: ['moderate'] })],
    script: ({ request }) => (request.operation === 'moderate' ? verdict(request.input) : script),
  });
  return { provider, ...(await pluginRing({ provider, plugin: moderation({ classifiers: [rules], ...options }) })) };
}

const verdict = (input: readonly { readonly type: string }[]): ScriptStep[] => {
  const flagged = JSON.stringify(input).includes('vile');
  const result = { flagged, categories: { hate: flagged }, scores: { hate: flagged ? 0.9 : 0.4 } };
  return [{ type: 'output', output: { operation: 'moderate', results: [result] } }, finish()];
};

/** What a reader saw, and how it ended. */
async function shown(stream: AsyncIterable<ModelEvent>) {
  let text = '';
  const warnings: string[] = [];
  try {
    for await (const event of stream) {
      if (event.type === 'text-delta' || event.type === 'reasoning-delta') text += event.text;
      if (event.type === 'warning') warnings.push(event.warning.code);
    }
    return { text, warnings, error: undefined };
  } catch (error) {
    return { text, warnings, error };
  }
}

describe('an answer', () => {
  it('is blocked with its category, and nothing of the text is repeated', async () => {
    const { handle, call } = await ring({}, 'I will kill it.');
    const { text, error } = await shown(handle(call(chat('q'))));
    expect(text).toBe('');
    expect(error).toMatchObject({
      code: 'blocked',
      details: { category: 'violence', classifier: 'local-rules', direction: 'output' },
    });
    expect(String(error)).not.toContain('kill it');
  });

  it('is redacted, without the log probabilities and quotations that repeat it', async () => {
    const { ask } = await ring({ action: 'redact' }, [
      { type: 'text-delta', text: 'They blow up codename X.' },
      finish({ logprobs: [{ token: 'codename', logprob: 0 }], citations: [{ url: 'u', text: 'codename X' }] }),
    ]);
    const response = await ask(chat('q'));
    expect(textOf(response)).toBe('They [violence] [secrets] X.');
    expect(response.logprobs).toBeUndefined();
    expect(response.citations).toEqual([{ url: 'u' }]);
    expect(response.warnings.map(({ code }) => code)).toEqual(['redacted', 'redacted']);
  });

  it('is flagged, or let through by category', async () => {
    const flagged = await ring({ action: 'flag' }, 'kill');
    expect(await flagged.ask(chat('q'))).toMatchObject({
      content: [{ text: 'kill' }],
      warnings: [{ code: 'flagged' }],
    });
    const chosen = await ring({ action: ({ category }) => (category === 'violence' ? 'allow' : 'block') }, 'kill');
    expect((await chosen.ask(chat('q'))).warnings).toEqual([]);
  });

  it('is judged in its thoughts and tool calls too', async () => {
    const thought = await ring({ action: 'redact' }, [
      ...deltas('blow up', 2, 'reasoning-delta'),
      { type: 'reasoning', part: { type: 'reasoning', text: 'blow up', signature: 's' } },
      { type: 'text-delta', text: 'fine' },
      finish(),
    ]);
    expect((await thought.ask(chat('q'))).content).toEqual([
      { type: 'reasoning', text: '[violence]' },
      { type: 'text', text: 'fine' },
    ]);
    const acts = await ring({ action: 'redact' }, [
      { type: 'tool-call-delta', index: 0, id: '1', name: 't', delta: '{"a":"ki' },
      { type: 'tool-call-delta', index: 0, id: '1', name: 't', delta: 'll"}' },
      { type: 'tool-call', call: { type: 'tool-call', id: '1', name: 't', arguments: { a: 'kill' } } },
      finish({ reason: 'tool-calls' }),
    ]);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of acts.handle(acts.call(chat('q')))) seen.push(event.type);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'blocked' });
    expect(seen).toEqual(['route']);
  });

  it('that is harmless arrives unchanged', async () => {
    const script = [
      ...deltas('some thoughts', 5, 'reasoning-delta'),
      { type: 'reasoning', part: { type: 'reasoning', text: 'some thoughts', signature: 's' } },
      { type: 'tool-call-delta', index: 0, id: '1', name: 't', delta: '{}' },
      { type: 'tool-call', call: { type: 'tool-call', id: '1', name: 't', arguments: {} } },
      finish({ reason: 'tool-calls', logprobs: [] }),
    ] as const;
    const { handle, call } = await ring({ window: 4 }, script);
    const events = await eventsOf(handle(call(chat('q'))));
    const text = events.map((event) => (event.type === 'reasoning-delta' ? event.text : '')).join('');
    expect(text).toBe('some thoughts');
    expect(events.filter(({ type }) => type !== 'reasoning-delta').slice(1)).toEqual([
      ...script.slice(-4, -1),
      { ...script.at(-1), costNanoUsd: 100 },
    ]);
  });

  it('starts over after a restart', async () => {
    const { ask } = await ring({}, [
      { type: 'text-delta', text: 'blow ' },
      { type: 'restart', notice: 'again' },
      { type: 'route', target: { provider: 'fake', model: 'one' } },
      { type: 'text-delta', text: 'up' },
      finish(),
    ]);
    expect(textOf(await ask(chat('q')))).toBe('up');
  });
});

describe('an excuse', () => {
  it('is judged together with the term that it ends in, though the term could go on', async () => {
    const { ask } = await ring({ action: 'redact', window: 1, overlap: 0 }, [...deltas('do not kill ', 1), finish()]);
    expect(textOf(await ask(chat('q')))).toBe('do not kill ');
  });
});

describe('law: however a stream is cut, windows find what a whole text shows', () => {
  const word = fc.constantFrom(
    'kill',
    'the',
    'process',
    'blow',
    'up',
    'do',
    'not',
    'codenames',
    'skill',
    '秘密',
    'q',
    '😀',
    'é',
  );
  const gap = fc.constantFrom(' ', '  ', '\n', ', ', '-', '');
  const text = fc.array(fc.tuple(word, gap), { minLength: 1, maxLength: 14 }).map((parts) => parts.flat().join(''));
  const sizes = {
    size: fc.integer({ min: 1, max: 9 }),
    window: fc.integer({ min: 1, max: 30 }),
    overlap: fc.integer({ min: 0, max: 8 }),
  };

  it('redacted', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.record(sizes), async (answer, { size, window, overlap }) => {
        const whole = await ring({ action: 'redact', window: 10_000 }, [...deltas(answer, 10_000), finish()]);
        const cut = await ring({ action: 'redact', window, overlap }, [...deltas(answer, size), finish()]);
        const expected = await shown(whole.handle(whole.call(chat('q'))));
        const seen = await shown(cut.handle(cut.call(chat('q'))));
        expect(seen.text).toBe(expected.text);
      }),
      { numRuns: 300 },
    );
  });

  it('blocked, before any of it is shown', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.record(sizes), async (answer, { size, window, overlap }) => {
        const findings = [...(await rules.classify(answer, { before: '' } as never))];
        const { handle, call } = await ring({ window, overlap }, [...deltas(answer, size), finish()]);
        const seen = await shown(handle(call(chat('q'))));
        expect(seen.error === undefined).toBe(findings.length === 0);
        if (findings.length === 0) expect(seen.text).toBe(answer);
        else expect(seen.text.length).toBeLessThanOrEqual(Math.min(...findings.map(({ end = 0 }) => end)) - 1);
        expect(answer.startsWith(seen.text)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a request', () => {
  it('is blocked before any model sees it', async () => {
    const { ask, provider } = await ring({});
    await expect(ask(chat('please kill'))).rejects.toMatchObject({ code: 'blocked', details: { direction: 'input' } });
    expect(provider.seen).toHaveLength(0);
  });

  it('is redacted in messages, tool results, embeddings and prompts; the operator is not judged', async () => {
    const { ask, provider } = await ring({ action: 'redact' });
    const content = [
      { type: 'text', text: 'kill and ' },
      { type: 'tool-result', id: '1', content: 'blow up' },
    ] as const;
    await ask({
      operation: 'chat',
      messages: [
        { role: 'system', content: 'kill' },
        { role: 'user', content },
      ],
    });
    expect(provider.seen[0]?.request).toMatchObject({
      messages: [{ content: 'kill' }, { content: [{ text: '[violence] and ' }, { content: '[violence]' }] }],
    });
    const texts: readonly ModelRequest[] = [
      { operation: 'embed', input: ['a', 'kill b'] },
      { operation: 'rerank', query: 'a', documents: ['b', 'kill'] },
      { operation: 'image', prompt: 'a kill' },
    ];
    for (const request of texts) {
      await ask(request);
      expect(JSON.stringify(provider.seen.at(-1)?.request)).toContain('[violence]');
    }
  });

  it('passes untouched where nothing is to be judged', async () => {
    const { call, context } = await ring({});
    const stream = (async function* () {
      yield finish();
    })();
    const plugin = moderation({ classifiers: [rules], inputs: false });
    const parts = await partsOf(plugin, context);
    expect(requestLayer(parts)?.handle(call(chat('q'), { purpose: 'moderation' }), () => stream)).toBe(stream);
    expect(requestLayer(parts)?.handle(call({ operation: 'embed', input: [] }), () => stream)).toBe(stream);
  });
});

describe('a moderation model', () => {
  const guard = moderationEndpoint({ model: 'guard' });

  it('judges request and answer, charged to the call that it judges', async () => {
    const { ask, provider } = await ring({ classifiers: [guard] });
    const response = await ask(chat('q'), { scopes: [{ kind: 'user', id: 'u' }] });
    expect(response.attempts.map(({ purpose }) => purpose)).toEqual(['moderation', 'answer', 'moderation']);
    expect(response.costNanoUsd).toBe(300);
    expect(provider.seen.every(({ scopes }) => scopes[0]?.id === 'u')).toBe(true);
    await expect(ask(chat('vile'))).rejects.toMatchObject({ code: 'blocked', details: { category: 'hate' } });
  });

  it('replaces the window where it names no place, and blocks such a request', async () => {
    const { ask } = await ring({ classifiers: [guard], action: 'redact' }, 'a vile answer');
    expect(textOf(await ask(chat('q')))).toBe('[hate]');
    await expect(ask(chat('vile'))).rejects.toMatchObject({ code: 'blocked' });
  });

  it('counts from a threshold', async () => {
    const strict = moderationEndpoint({ model: 'guard', thresholds: { hate: 0.3 } });
    const { ask } = await ring({ classifiers: [strict] });
    await expect(ask(chat('mild'))).rejects.toMatchObject({ code: 'blocked' });
  });
});

describe('a classifier that fails', () => {
  const broken: Classifier = { name: 'broken', classify: () => Promise.reject(new Error('down')) };

  it('fails the call, unless told to go on', async () => {
    const closed = await ring({ classifiers: [broken] });
    await expect(closed.ask(chat('q'))).rejects.toMatchObject({ code: 'plugin-failed' });
    expect(closed.provider.seen).toHaveLength(0);
    const open = await ring({ classifiers: [broken], failOpen: true });
    expect((await open.ask(chat('q'))).warnings.map(({ code }) => code)).toEqual(['not-moderated', 'not-moderated']);
  });

  it('never hides a spent budget', async () => {
    const spent: Classifier = {
      name: 'spent',
      classify: () => Promise.reject(new PolyphonyError('budget-exceeded', 'x')),
    };
    const { ask } = await ring({ classifiers: [spent], failOpen: true });
    await expect(ask(chat('q'))).rejects.toMatchObject({ code: 'budget-exceeded' });
  });

  it('needs at least one to begin with', () => {
    expect(() => moderation({ classifiers: [] })).toThrow(/at least one/);
    expect(() => moderation({ classifiers: [broken], window: 0 })).toThrow(/window is 0/);
  });
});
