/** A guard whose model did not judge lets nothing through, unless it is told to. */
import { type ModelResponse, PolyphonyError } from 'polyphony';
import { describe, expect, test } from 'vitest';
import {
  type Classifier,
  type Finding,
  type ModerationAction,
  type ModerationEndpointOptions,
  type ModerationOptions,
  moderation,
  moderationEndpoint,
} from '../../../plugins/moderation/moderation.ts';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { createPolyphony } from '../../../src/polyphony.ts';
import { loopback } from '../../kit/loopback.ts';

const said = JSON.stringify({
  choices: [{ message: { content: 'the answer' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2 },
});
const verdict = (fields: object): object => ({ results: [fields] });

interface Asked {
  readonly answer?: unknown;
  readonly endpoint?: ModerationEndpointOptions;
  readonly options?: Partial<ModerationOptions>;
}

/** What came of a question to a model behind the guard, whose endpoint answers so. */
async function guarded({ answer, endpoint, options }: Asked): Promise<ModelResponse | PolyphonyError> {
  const server = await loopback(({ path }, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(path.endsWith('/moderations') ? JSON.stringify(answer) : said);
  });
  const models = ['m', { id: 'guard', operations: ['moderate'] as const, capabilities: ['moderation'] as const }];
  const classifiers = [moderationEndpoint({ model: 'openai-compatible/guard', ...endpoint })];
  const polyphony = await createPolyphony({
    providers: [openaiCompatible({ baseURL: server.url, models })],
    plugins: [moderation({ classifiers, ...options })],
  });
  const messages = [{ role: 'user' as const, content: 'a question' }];
  const result = await polyphony.gateway.generate({ model: 'm', messages }).catch((error: unknown) => error);
  await polyphony.close();
  if (result instanceof PolyphonyError) {
    expect(server.received.some(({ path }) => path.endsWith('/chat/completions'))).toBe(false);
    return result;
  }
  return result as ModelResponse;
}

const JUDGED_NOTHING: readonly (readonly [string, unknown])[] = [
  ['no results', {}],
  ['results that are no list', { results: { flagged: false } }],
  ['an empty list', { results: [] }],
  ['nothing', { results: [null] }],
  ['an empty result', verdict({})],
  ['more results than texts', { results: [{ flagged: false }, { flagged: false }] }],
  ['a verdict in words', verdict({ flagged: 'false', categories: { hate: false } })],
  ['no verdict and no categories', verdict({ flagged: null, categories: {}, category_scores: { hate: 0.9 } })],
  ['categories in a list', verdict({ flagged: false, categories: ['hate'] })],
  ['a category in words', verdict({ categories: { hate: 'true' } })],
  ['a score in words', verdict({ flagged: false, categories: { hate: false }, category_scores: { hate: '0.9' } })],
];

describe('an endpoint that did not judge', () => {
  test.each(JUDGED_NOTHING)('%s: the call fails', async (_name, answer) => {
    const error = await guarded({ answer });
    expect(error).toMatchObject({ code: 'plugin-failed', message: expect.stringContaining('failOpen') });
  });

  test.each(JUDGED_NOTHING)('%s: with failOpen the call passes with a warning', async (_name, answer) => {
    const response = await guarded({ answer, options: { failOpen: true } });
    const warnings = response instanceof PolyphonyError ? [] : response.warnings.map(({ code }) => code);
    expect(warnings).toEqual(['not-moderated', 'not-moderated']);
  });
});

describe('an endpoint that judged', () => {
  const clean = { categories: { hate: false, 'self-harm': null }, category_scores: { hate: 0.1, 'self-harm': null } };

  test.each([
    ['all fields', { flagged: false, ...clean }],
    ['no `flagged`, as some vendors', clean],
    ['`flagged` alone', { flagged: false }],
  ])('with %s lets a clean text pass', async (_name, fields) => {
    expect(await guarded({ answer: verdict(fields) })).toMatchObject({ warnings: [] });
  });

  test.each([
    ['for a category', { flagged: true, categories: { hate: true } }, 'hate'],
    ['for a category, without `flagged`', { categories: { hate: true, other: false } }, 'hate'],
    ['for none', { flagged: true, categories: { hate: false } }, 'flagged'],
  ])('flagged %s blocks', async (_name, fields, category) => {
    expect(await guarded({ answer: verdict(fields) })).toMatchObject({ code: 'blocked', details: { category } });
  });
});

describe('thresholds', () => {
  const at = (hate: number): ModerationEndpointOptions => ({ thresholds: { hate } });
  const scored = (hate: number, flagged: boolean) =>
    verdict({ flagged, categories: { hate: flagged }, category_scores: { hate } });

  test('decide for their category', async () => {
    expect(await guarded({ answer: scored(0.5, true), endpoint: at(0.9) })).toMatchObject({ warnings: [] });
    expect(await guarded({ answer: scored(0.5, false), endpoint: at(0.4) })).toMatchObject({ code: 'blocked' });
  });

  test('do not let pass what is flagged for no category', async () => {
    const answer = verdict({ flagged: true, categories: {}, category_scores: {} });
    expect(await guarded({ answer, endpoint: at(0.4) })).toMatchObject({ code: 'blocked' });
  });

  test('for a category that the model does not judge are an error', async () => {
    const error = await guarded({ answer: scored(0.1, false), endpoint: { thresholds: { hatred: 0.4 } } });
    expect(error).toMatchObject({ code: 'plugin-failed', message: expect.stringContaining('"hatred"') });
  });
});

describe('a classifier of one’s own', () => {
  const answer = verdict({ flagged: false });
  const classifying = (findings: unknown): Classifier[] => [
    { name: 'own', classify: () => findings as readonly Finding[] },
  ];

  test.each([undefined, null, 'none', {}, [null], [{}], [{ category: 'x', start: 5, end: 2 }], [{ category: 1 }]])(
    'that returns %j has not judged',
    async (findings) => {
      const options = { classifiers: classifying(findings) };
      expect(await guarded({ answer, options })).toMatchObject({ code: 'plugin-failed' });
    },
  );

  test('whose finding has an action that does not exist blocks', async () => {
    const action = () => 'BLOCK' as ModerationAction;
    const options = { classifiers: classifying([{ category: 'x' }]), action };
    expect(await guarded({ answer, options })).toMatchObject({ code: 'blocked' });
  });
});
