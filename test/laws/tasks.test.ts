/** Requests are classified by rules, by examples, by a model; each class has its route. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { CallOptions } from '../../src/core/gateway.ts';
import type { Attempt, ChatRequest } from '../../src/core/model/model.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { type FakeProvider, fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { errorOf, fault, type Harness, harness, text, user } from '../gateway/harness.ts';

const capable = fakeCard({ id: 'x' });
const models = ['plain', 'coder', 'writer', 'eyes', 'sorter'].map((id) =>
  fakeCard({
    id,
    capabilities: id === 'eyes' ? [...capable.capabilities, 'image-in'] : capable.capabilities,
    strengths: { general: id === 'plain' ? 0.9 : 0.5 },
  }),
);
const routes = { code: { chain: ['coder'] }, prose: { chain: ['writer'] }, images: { chain: ['eyes'] } };
const tasks: NonNullable<Config['tasks']> = {
  code: {
    when: [{ words: ['stack trace', 'C++'] }],
    examples: ['why does this function throw an error', 'fix the loop in my script', 'write a test for this function'],
    description: 'programs',
  },
  stories: {
    route: 'prose',
    examples: ['write a poem about the sea', 'tell me a story about a dragon', 'a limerick about rain'],
  },
  images: { when: [{ attachments: ['image'] }] },
};

interface World extends Harness {
  readonly provider: FakeProvider;
  /** What was put to the model that sorts. */
  readonly sorted: ChatRequest[];
}

function world(config: Config = {}, sorts: (asked: ChatRequest) => string | readonly ScriptStep[] = () => '{}'): World {
  const sorted: ChatRequest[] = [];
  const script = ({ target, request }: Attempt): string | readonly ScriptStep[] => {
    if (target.model !== 'sorter') return 'ok';
    sorted.push(request as ChatRequest);
    return sorts(request as ChatRequest);
  };
  const provider = fakeProvider({ models, script });
  const given: Config = { routes, tasks, optimise: 'quality', retry: { retries: 0 }, ...config };
  return { ...harness({ providers: [provider], config: given }), provider, sorted };
}

const ask = (made: Harness, prompt: string, options: CallOptions = {}, request: object = {}) =>
  made.run(made.gateway.generate({ ...user(prompt), ...request }, options));
const served = async (made: Harness, prompt: string, request: object = {}): Promise<string> =>
  (await ask(made, prompt, {}, request)).target.model;
const routedOf = ({ gateway }: Harness, prompt: string) =>
  gateway.explain({ operation: 'chat', ...user(prompt) }).routed;

const picture = { type: 'image' as const, source: { type: 'url' as const, url: 'https://e.example/i.png' } };

describe('law: the class of a request', () => {
  it('is found by rules first, then by its examples, and else the router chooses among all', async () => {
    const made = world();
    expect(await served(made, 'A poem about a Stack  TRACE')).toBe('coder');
    expect(await served(made, 'a poem about the stacked traces')).toBe('writer');
    // Of a phrase only the letters and digits count.
    expect(await served(made, 'is C old')).toBe('coder');
    expect(await served(made, 'is Cobol old')).toBe('plain');
    expect(await served(made, 'my function throws an error')).toBe('coder');
    expect(await served(made, 'Quarterly revenue')).toBe('plain');
    const seen = await made.run(made.gateway.generate({ messages: [{ role: 'user', content: [picture] }] }));
    expect(seen.target.model).toBe('eyes');
  });

  it('is that which the request names, and none for a request that chooses its model or tier', async () => {
    const made = world();
    expect(await served(made, 'hello', { model: { task: 'stories' } })).toBe('writer');
    const poem = 'write a poem about the sea';
    expect(await served(made, poem, { model: 'coder' })).toBe('coder');
    expect(await served(made, poem, { model: { tier: 'fast' } })).toBe('plain');
    expect(await served(made, poem, { model: { route: 'code' } })).toBe('coder');
    const error = await errorOf(ask(made, 'hi', {}, { model: { task: 'storys' } }));
    expect([error.code, error.message]).toEqual([
      'no-route',
      'The config has no task called "storys". Did you mean "stories"?',
    ]);
    const without = world({ tasks: {}, routes: {} });
    without.gateway.reconfigure({});
    expect((await errorOf(ask(without, 'hi', {}, { model: { task: 'code' } }))).message).toContain(
      'The tasks are: none',
    );
  });

  it('is refused where the config has none, also with a single model, which the route may not have allowed', async () => {
    const alone = harness({ providers: [fakeProvider({ models: [fakeCard({ id: 'only' })] })] });
    const error = await errorOf(ask(alone, 'hi', {}, { model: { task: 'code' } }));
    expect([error.code, error.message]).toEqual([
      'no-route',
      'The config has no task called "code". The tasks are: none.',
    ]);
  });

  it('is asked for answers to callers only', async () => {
    const made = world({ classify: { model: 'sorter', otherwise: 'prose' } });
    for (const purpose of ['planner', 'judge', 'moderation', 'embedding', 'probe'] as const) {
      const { target } = await ask(made, 'write a poem about the sea', { purpose });
      expect(target.model).toBe('plain');
    }
    expect(made.sorted).toEqual([]);
  });

  it('reads only so much of a long text, its beginning and its end', async () => {
    const made = world();
    const long = (middle: string): string => `${'word '.repeat(2000)}${middle} ${'word '.repeat(2000)}`;
    expect(await served(made, long('stack trace'))).toBe('plain');
    expect(await served(made, `${long('')} stack trace`)).toBe('coder');
    expect(await served(made, `stack trace ${long('')}`)).toBe('coder');
  });

  it.each<[string, NonNullable<NonNullable<Config['tasks']>[string]['when']>[number], object, object]>([
    ['tools', { tools: true }, { tools: [{ name: 'a', inputSchema: {} }] }, {}],
    ['no tools', { tools: false }, {}, { tools: [{ name: 'a', inputSchema: {} }] }],
    ['json', { json: true }, { output: { type: 'json' } }, {}],
    [
      'languages',
      { languages: ['de-CH'] },
      user('Warum ist der Himmel blau und nicht grün?'),
      user('Why is the sky blue?'),
    ],
    ['a least length', { minTokens: 200 }, user('many words '.repeat(200)), {}],
    ['a greatest length', { maxTokens: 100 }, {}, user('many words '.repeat(200))],
    ['all that is given', { words: ['hi'], tools: false }, user('oh, hi'), user('no')],
  ])('by a rule about %s', (_, rule, fits, fails) => {
    const { gateway } = world({ tasks: { code: { when: [rule] } } });
    const taskOf = (request: object) => gateway.explain({ operation: 'chat', ...user(), ...request }).routed?.task;
    expect([taskOf(fits), taskOf(fails)]).toEqual(['code', null]);
  });
});

describe('law: a model that is asked for the class', () => {
  const unclear = 'Quarterly revenue';
  const says = (task: string) => () => JSON.stringify({ class: task });

  it('is asked once for a text, where rules and examples do not tell, and is charged to the caller', async () => {
    const made = world({ classify: { model: 'sorter' } }, says('stories'));
    expect(await served(made, 'my function throws an error')).toBe('coder');
    expect(made.sorted).toEqual([]);
    const first = await ask(made, unclear, { id: 'a', scopes: [{ kind: 'team', id: 't' }] });
    expect(first.target.model).toBe('writer');
    expect(first.attempts.map(({ key, purpose }) => [key, purpose])).toEqual([
      ['a-class/1', 'judge'],
      ['a/1', 'answer'],
    ]);
    expect(first.costNanoUsd).toBe(2 * (first.attempts[1]?.costNanoUsd ?? 0));
    const rows = await made.rows();
    expect(rows.filter(({ scopes }) => scopes.some(({ id }) => id === 't'))).toHaveLength(2);
    expect(await served(made, unclear)).toBe('writer');
    expect(made.sorted).toHaveLength(1);
    expect(made.sorted[0]?.messages[1]?.content).toBe(
      JSON.stringify({ classes: { code: 'programs', stories: 'stories', images: 'images' }, request: unclear }),
    );
  });

  it('is asked anew when the tasks have changed, and keeps only so many classes', async () => {
    const made = world({ classify: { model: 'sorter', kept: 1 } }, says('stories'));
    await served(made, unclear);
    await served(made, 'Another one');
    await served(made, unclear);
    expect(made.sorted).toHaveLength(3);
    await served(made, unclear);
    expect(made.sorted).toHaveLength(3);
    made.gateway.reconfigure({
      routes,
      tasks: { ...tasks, code: { description: 'else' } },
      classify: { model: 'sorter' },
    });
    await served(made, unclear);
    expect(made.sorted).toHaveLength(4);
  });

  it.each<[string, string | readonly ScriptStep[]]>([
    ['fails', [fault('overloaded')]],
    ['names no class', '{"class":"none"}'],
    ['invents a class', '{"class":"cooking"}'],
    ['says what every object has', '{"class":"constructor"}'],
    ['says something else', 'Ignore that. It is code.'],
  ])('leaves the request without class where it %s', async (_, said) => {
    const made = world({ classify: { model: 'sorter', otherwise: 'prose' } }, () => said);
    expect(await served(made, unclear)).toBe('writer');
    expect(made.sorted.length).toBeGreaterThan(0);
  });

  it.each(['code', ' code\n', '"code"'])('is taken from an answer that is the name alone: %j', async (said) => {
    const made = world({ classify: { model: 'sorter' } }, () => said);
    expect(await served(made, unclear)).toBe('coder');
  });

  it('is not asked for more than its cap, nor than what the request may still cost', async () => {
    const made = world({ classify: { model: 'sorter', usd: 0.000001, otherwise: 'prose' } }, says('code'));
    expect(await served(made, unclear)).toBe('writer');
    expect(made.sorted).toEqual([]);
    const small = world({ classify: { model: 'sorter', usd: 1 } }, says('code'));
    const limited = { limits: { usd: 0.0000001 } };
    expect((await errorOf(ask(small, unclear, {}, limited))).code).toMatch(/no-route|budget-exceeded/);
    expect(small.sorted).toEqual([]);
    // What asking has cost counts in the cap of the request.
    const costly = (): readonly ScriptStep[] => [
      text('{"class":"code"}'),
      finish({ usage: { input: 100, output: 20 } }),
    ];
    const shared = world({ classify: { model: 'sorter', usd: 0.01 } }, costly);
    const tokensWith = async (request: object): Promise<number> => {
      const { warnings } = await ask(shared, unclear, {}, { limits: { usd: 0.002 }, ...request });
      expect(warnings.map(({ code }) => code)).toEqual(['output-limited-by-budget']);
      return Number(/limited to (\d+) tokens/.exec(warnings[0]?.message ?? '')?.[1]);
    };
    const afterAsking = await tokensWith({});
    // 100 tokens in and 20 out are 140,000 nano-dollars, for which the answer would have had 70 tokens.
    expect(await tokensWith({ model: { task: 'code' } })).toBe(afterAsking + 70);
  });

  it('gets only what it may: not a regulated text that its provider would keep', async () => {
    const keeping = models.map((card) => (card.id === 'sorter' ? { ...card, retention: 'provider' as const } : card));
    const asked: string[] = [];
    const script = ({ target }: Attempt): string => {
      asked.push(target.model);
      return 'ok';
    };
    const provider = fakeProvider({ models: keeping, script });
    const made = harness({ providers: [provider], config: { routes, tasks, classify: { model: 'sorter' } } });
    await made.run(made.gateway.generate({ ...user(unclear), sensitivity: 'regulated' }));
    await made.run(made.gateway.generate({ ...user(unclear), requires: { retention: 'none' } }));
    expect(asked).toHaveLength(2);
    expect(asked).not.toContain('sorter');
  });

  it('is cancelled with its call, and no timer is left', async () => {
    const made = world({ classify: { model: 'sorter' } }, () => [{ hang: true }]);
    const controller = new AbortController();
    const answer = errorOf(made.gateway.generate(user(unclear), { signal: controller.signal }));
    await made.runtime.clock.advance(10);
    expect(made.provider.open()).toBe(1);
    controller.abort();
    expect((await answer).code).toBe('cancelled');
    expect([made.provider.open(), made.provider.seen.length]).toEqual([0, 1]);
    await made.gateway.close();
    expect(made.runtime.clock.pending()).toBe(0);
  });

  it('has its own time, after which the answer goes on without a class', async () => {
    const made = world({ classify: { model: 'sorter', ms: 300, otherwise: 'prose' } }, () => [{ hang: true }]);
    const { target, attempts } = await ask(made, unclear);
    expect(target.model).toBe('writer');
    expect(attempts[0]?.totalMs).toBeLessThanOrEqual(300);
  });

  it('is left alone for half a minute after three failures in a row', async () => {
    let works = false;
    const made = world({ classify: { model: 'sorter' } }, () => (works ? '{"class":"code"}' : [fault('overloaded')]));
    for (const prompt of ['one', 'two', 'three', 'four']) expect(await served(made, prompt)).toBe('plain');
    expect(made.sorted).toHaveLength(3);
    works = true;
    expect(await served(made, 'five')).toBe('plain');
    await made.runtime.clock.advance(30_000);
    expect(await served(made, 'five')).toBe('coder');
    expect(made.sorted).toHaveLength(4);
  });

  it.each<[string, Config, CallOptions, object, (readonly ScriptStep[])?]>([
    [
      'whose budget is spent',
      { budgets: [{ scope: 'tenant', id: 'poor', usd: 1e-7 }] },
      { scopes: [{ kind: 'tenant', id: 'poor' }] },
      {},
    ],
    ['that the model may not serve', {}, {}, { requires: { regions: ['nowhere'] } }],
    [
      'that leaves no time for it',
      { classify: { model: 'sorter', ms: 300 } },
      {},
      { limits: { ms: 20 } },
      [{ hang: true }],
    ],
    ['with a text that it refuses', {}, {}, {}, [fault('content-policy')]],
  ])('is not left alone by others for a request %s', async (_, config, options, request, fails) => {
    let isTheirs = true;
    const made = world({ classify: { model: 'sorter' }, ...config }, () =>
      isTheirs ? (fails ?? '{}') : says('code')(),
    );
    for (const prompt of ['one', 'two', 'three']) await ask(made, prompt, options, request).catch(() => undefined);
    isTheirs = false;
    expect(await served(made, 'four')).toBe('coder');
  });

  it('is named by an explanation, which does not ask it', async () => {
    const made = world({ classify: { model: 'sorter' } }, says('stories'));
    expect(routedOf(made, unclear)).toEqual({ route: null, task: null, by: 'nothing', wouldAsk: 'sorter' });
    expect(made.sorted).toEqual([]);
    await served(made, unclear);
    expect(routedOf(made, unclear)).toEqual({ route: 'prose', task: 'stories', by: 'model' });
    expect(routedOf(made, 'a stack trace')).toEqual({ route: 'code', task: 'code', by: 'rule' });
    expect(routedOf(made, 'a poem about a limerick')).toMatchObject({
      route: 'prose',
      by: 'examples',
      certainty: expect.closeTo(0.99, 2),
    });
  });
});

describe('law: the task of a node', () => {
  it('is that which it names, else what its prompt is about', async () => {
    const provider = fakeProvider({ models });
    const config: Config = { routes, tasks, optimise: 'quality' };
    const lines: object[] = [];
    const ignore = () => undefined;
    const logger = { debug: ignore, warn: ignore, error: ignore, info: (fields: object) => lines.push(fields) };
    const polyphony = await createPolyphony({ providers: [provider], plugins: [], config, logger });
    const run = await polyphony.run({
      version: 1,
      nodes: [
        { id: 'named', use: 'llm', in: { prompt: 'my function throws an error' }, model: { task: 'stories' } },
        { id: 'told', use: 'llm', in: { prompt: 'my function throws an error' } },
        { id: 'else', use: 'llm', in: { prompt: 'Quarterly revenue' } },
      ],
      output: ['{{named.text}}', '{{told.text}}', '{{else.text}}'],
    });
    expect(run.status).toBe('done');
    expect(provider.seen.map(({ target }) => target.model).sort()).toEqual(['coder', 'plain', 'writer']);
    // Its line in the log says which route it took.
    const routesOf = lines.flatMap((line) => ('call' in line ? [String('route' in line ? line.route : 'none')] : []));
    expect(routesOf.sort()).toEqual(['code', 'none', 'prose']);
    await polyphony.close();
  });
});

describe('law: the language of a text', () => {
  const german = fakeCard({ id: 'german', languages: ['de', 'en'] });
  const english = fakeCard({ id: 'english', languages: ['en'], strengths: { general: 0.9 } });
  const made = (config: Config = { detectLanguage: true }) =>
    harness({ providers: [fakeProvider({ models: [german, english] })], config: { optimise: 'quality', ...config } });
  const warum = 'Warum ist der Himmel blau und nicht grün?';

  it('moves models that do not claim it behind the others, where the request names none and the config says so', async () => {
    expect(await served(made(), warum)).toBe('german');
    expect(await served(made(), 'Why is the sky blue and not green?')).toBe('english');
    expect(await served(made({}), warum)).toBe('english');
    expect(await served(made(), warum, { requires: { languages: ['en'] } })).toBe('english');
  });

  it('excludes none: not one that is named, nor the last', async () => {
    expect(await served(made(), warum, { model: 'english' })).toBe('english');
    const { candidates, routed } = made().gateway.explain({ operation: 'chat', ...user(warum) });
    expect(routed?.language).toBe('de');
    expect(candidates.map(({ target, notes }) => [target.model, notes])).toEqual([
      ['german', undefined],
      ['english', ['does not claim support for de, which the text seems to be in']],
    ]);
    expect(await served(made(), 'Γιατί είναι ο ουρανός μπλε;')).toBe('english');
  });
});
