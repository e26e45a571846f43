import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import plugin, { embedded } from '../../../plugins/providers/embedded.ts';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { Attempt, ChatRequest, ModelEvent, ModelRequest } from '../../../src/core/model/model.ts';
import type { Transport } from '../../../src/core/model/provider.ts';
import { providerContext, testProvider } from '../../../src/testing/index.ts';

const ARTICLE = `# Harbour

The harbour of Brest was founded in 1631 by Cardinal Richelieu. It shelters the Atlantic fleet of France.
Storms close the harbour on nine days a year. Fishermen sell their catch on the eastern quay every morning.
The lighthouse was restored in 2004 after a fire. Visitors reach the lighthouse by a bridge of stone.`;

const noTransport: Transport = {
  request: async () => {
    throw new Error('the embedded provider asked the network');
  },
  close: async () => {},
};

interface Asking {
  readonly model?: string;
  readonly purpose?: Attempt['purpose'];
  readonly signal?: AbortSignal;
}

function stream(
  request: ModelRequest,
  { model = 'fast', purpose = 'answer', signal }: Asking = {},
): AsyncIterable<ModelEvent> {
  const target = { provider: 'embedded', model };
  const trace = { attempts: [] };
  const attempt: Attempt = {
    id: 'call_1',
    request,
    signal: signal ?? new AbortController().signal,
    purpose,
    scopes: [],
    trace,
    target,
    number: 1,
  };
  return embedded().stream(attempt, providerContext(noTransport));
}

async function events(request: ModelRequest, asking?: Asking): Promise<ModelEvent[]> {
  const found: ModelEvent[] = [];
  for await (const event of stream(request, asking)) found.push(event);
  return found;
}

const chat = (content: string, more: Partial<ChatRequest> = {}): ChatRequest => ({
  operation: 'chat',
  messages: [{ role: 'user', content }],
  ...more,
});
const textOf = (found: readonly ModelEvent[]): string =>
  found.flatMap((event) => (event.type === 'text-delta' ? event.text : [])).join('');

testProvider({
  test,
  make: () => ({ provider: embedded(), transport: noTransport, request: chat(`Summarise:\n\n${ARTICLE}`) }),
});

describe('cards', () => {
  test('are free, keep nothing, and leave embeddings, tools and moderation to others', () => {
    const { models } = embedded();
    expect(models.map(({ id, tier }) => [id, tier])).toEqual([
      ['fast', 'fast'],
      ['thorough', 'premium'],
      ['planner', 'balanced'],
    ]);
    for (const { price, retention, operations, capabilities } of models) {
      expect(price).toMatchObject({ input: 0, output: 0 });
      expect(retention).toBe('none');
      expect(operations).toEqual(['chat']);
      expect(capabilities).not.toContain('tools');
    }
  });

  test('are registered by the plugin', () => {
    expect(plugin.providers?.map(({ id }) => id)).toEqual(['embedded']);
  });
});

describe('stream', () => {
  test('says once that the answer is extractive, streams sentences, and ends with usage and confidence', async () => {
    const found = await events(chat(`Summarise in 3 sentences:\n\n${ARTICLE}`), { model: 'thorough' });
    expect(found.filter(({ type }) => type === 'warning')).toMatchObject([{ warning: { code: 'extractive' } }]);
    expect(found.filter(({ type }) => type === 'text-delta')).toHaveLength(3);
    const last = found.at(-1);
    expect(last).toMatchObject({ type: 'finish', reason: 'stop' });
    if (last?.type !== 'finish') throw new Error('no finish');
    expect(last.usage.input).toBeGreaterThan(50);
    expect(last.usage.output).toBeGreaterThan(10);
    expect(last.confidence).toBeGreaterThan(0.3);
    expect(last.confidence).toBeLessThanOrEqual(0.95);
  });

  test('quotes: every sentence of a summary stands in the text', async () => {
    for (const model of ['fast', 'thorough']) {
      const found = await events(chat(`Summarise in 2 sentences:\n\n${ARTICLE}`), { model });
      const flat = ARTICLE.replace(/\s+/g, ' ');
      for (const event of found) if (event.type === 'text-delta') expect(flat).toContain(event.text.trim());
    }
  });

  test('stops between chunks when the signal aborts', async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const run = async () => {
      for await (const event of stream(chat(`Summarise:\n\n${ARTICLE}`), { signal: controller.signal })) {
        if (event.type !== 'text-delta') continue;
        seen.push(event.text);
        controller.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ code: 'cancelled' });
    expect(seen).toHaveLength(1);
  });

  test('ends with "length" where the caller allows fewer tokens', async () => {
    const found = await events(chat(`Summarise in 4 sentences:\n\n${ARTICLE}`, { maxOutputTokens: 30 }));
    expect(found.at(-1)).toMatchObject({ type: 'finish', reason: 'length' });
    expect(textOf(found).length).toBeGreaterThan(0);
  });

  test('answers structured output as JSON of the schema', async () => {
    const schema = {
      type: 'object',
      properties: { label: { type: 'string', enum: ['billing', 'tech'] }, confidence: { type: 'number' } },
      required: ['label', 'confidence'],
    };
    const request = chat('Classify: I was charged twice, please refund my card.', { output: { type: 'json', schema } });
    const answer: unknown = JSON.parse(textOf(await events(request)));
    expect(answer).toMatchObject({ label: 'billing' });
  });

  test('gives JSON without a schema a field for each job', async () => {
    const found = await events(chat(`Summarise and list the key terms:\n\n${ARTICLE}`, { output: { type: 'json' } }));
    expect(JSON.parse(textOf(found))).toMatchObject({
      summary: expect.any(String),
      terms: expect.arrayContaining(['lighthouse']),
    });
  });

  test('refuses other operations, and requests above its window', async () => {
    await expect(events({ operation: 'embed', input: ['a'] })).rejects.toMatchObject({ code: 'unsupported' });
    const long = 'A sentence about harbours and ships. '.repeat(40_000);
    await expect(events(chat(`Summarise: ${long}`))).rejects.toMatchObject({ code: 'context-window' });
  });

  test.each([
    'Write a poem about the sea.',
    'Translate to German: hello',
    'What is the capital of France?',
    'Hello!',
    '',
  ])('refuses %j and names the keys that would help', async (content) => {
    const refused = events(chat(content));
    await expect(refused).rejects.toMatchObject({ code: 'unsupported', retryable: false });
    await expect(refused).rejects.toThrow(/not a language model.*OPENAI_API_KEY.*COHERE_API_KEY/);
  });
});

describe('properties', () => {
  const start = fc.constantFrom(
    'Summarise:\n\n',
    'List key terms: ',
    'Classify as a|b: ',
    'What is it? Text:\n',
    'Compare:\n',
    '',
  );
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom(
      '\n\n',
      '```',
      '<document>',
      '</document>',
      '[{"',
      '# A',
      '| a | b |',
      'Question: ',
      '…',
      '。',
      'Dr. ',
      '"""',
      '{{x}}',
    ),
    fc.lorem({ maxCount: 8, mode: 'sentences' }),
  );
  const prompt = fc.tuple(start, fc.array(piece, { maxLength: 12 })).map(([head, parts]) => head + parts.join(' '));
  const outcome = async (request: ChatRequest, asking: Asking): Promise<string> => {
    try {
      return JSON.stringify(await events(request, asking));
    } catch (error) {
      if (error instanceof PolyphonyError) return `${error.code}: ${error.message}`;
      throw error;
    }
  };

  test('arbitrary text gives the same answer twice, or a refusal of ours', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, fc.constantFrom('fast', 'thorough'), async (content, model) => {
        const first = await outcome(chat(content), { model });
        expect(await outcome(chat(content), { model })).toBe(first);
      }),
      { numRuns: 150 },
    );
  });

  // Each of these once made a pattern quadratic or worse; a hang fails by the runner's own limit.
  test.each(['\n', '*/', '![](', '[](', '<text>', 'aaaa', '((', '| ', '1 ', 'fass '])(
    'reads much of %j',
    async (seed) => {
      const long = seed.repeat(40_000 / seed.length);
      await outcome(chat(`Summarise:\n\n${long}`), { model: 'fast' });
      const planned = await outcome(chat(`summarise a.md and ${long}`), { model: 'planner', purpose: 'planner' });
      expect(planned).toMatch(/^(?:\[|unsupported: )/);
    },
  );

  test('arbitrary planning requests give JSON or a refusal of ours', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async (content) => {
        const result = await outcome(chat(content), { model: 'planner', purpose: 'planner' });
        expect(result).toMatch(/^(?:\[|unsupported: )/);
      }),
      { numRuns: 100 },
    );
  });
});
