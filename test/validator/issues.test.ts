import { describe, expect, it } from 'vitest';
import type { Catalogue } from '../../src/core/plan/validation.ts';
import { ISSUE_CODES } from '../../src/validator/document/codes.ts';
import { validate } from '../../src/validator/validate.ts';
import { AGENT_CASES } from './agent-issues.ts';
import { type CatalogueParts, card, catalogue, MODELS, SEARCH } from './catalogue.ts';
import { ask, type Case, plan, search } from './fragments.ts';
import { PROMPT_CASES } from './prompt-issues.ts';
import { REFERENCE_CASES } from './reference-issues.ts';
import { RESOURCE_CASES } from './resource-issues.ts';
import { SHAPE_CASES } from './shape-issues.ts';

const CASES: readonly Case[] = [...SHAPE_CASES, ...REFERENCE_CASES, ...RESOURCE_CASES, ...AGENT_CASES, ...PROMPT_CASES];

describe('every issue', () => {
  it.each(CASES)('$code: $what', ({ code, raw, path, suggest, parts }) => {
    const { issues, plan: valid } = validate(raw, catalogue(parts), { repair: false });
    const found = issues.filter((issue) => issue.code === code && issue.path === path);
    expect(found.length, JSON.stringify(issues, null, 1)).toBeGreaterThan(0);
    expect(valid === undefined).toBe(issues.some(({ severity }) => severity === 'error'));
    if (suggest !== undefined) expect(found.flatMap((issue) => issue.suggest ?? [])[0]).toBe(suggest[0]);
  });

  it('has a case for every code', () => {
    // The text takes the place of the name in every plan that is small enough for a case.
    const codes = Object.keys(ISSUE_CODES).filter((code) => code !== 'prompt.named');
    expect([...new Set(CASES.map(({ code }) => code))].sort()).toEqual(codes.sort());
  });

  it('says the value, the rule and the remedy', () => {
    for (const { raw, parts, code } of CASES) {
      for (const { message } of validate(raw, catalogue(parts), { repair: false }).issues) {
        expect(message.length, `${code}: ${message}`).toBeGreaterThan(30);
        expect(message.length).toBeLessThan(900);
      }
    }
  });
});

describe('the "out" of a person', () => {
  it.each([
    [{ answer: 'integer' }, '{{a.answer}} {{a.approved}}'],
    [{ answer: { date: 'string' }, approved: 'boolean' }, '{{a.answer.date}} {{a.approved}}'],
    [{ type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] }, 'It is {{a.approved}}'],
  ])('describes the answer, and approved is there all the same: %j', (out, query) => {
    const raw = plan({ id: 'a', use: 'human', in: { question: 'When?' }, out }, search('b', query));
    const { issues } = validate(raw, catalogue(), { repair: false });
    expect(issues.filter(({ code }) => code !== 'node.unused')).toEqual([]);
  });

  it('is what references read', () => {
    const raw = plan(
      { id: 'a', use: 'human', in: { question: 'When?' }, out: { answer: { date: 'string' } } },
      search('b', '{{a.answer.hour}}'),
    );
    const { issues } = validate(raw, catalogue(), { repair: false });
    expect(issues.map(({ path }) => path)).toContain('/nodes/1/in/query');
  });
});

describe('all issues at once', () => {
  it('checks the other nodes when one is broken in shape', () => {
    const raw = plan({ id: 'a', use: 5 }, { id: 'b', use: 'tool:nothing-like-it' }, search('c', '{{a.x}} {{zebra.y}}'));
    const { issues } = validate(raw, catalogue(), { repair: false });
    expect(issues.map(({ code, path }) => `${code} ${path}`)).toEqual(
      expect.arrayContaining([
        'shape.type /nodes/0/use',
        'use.unknown /nodes/1/use',
        'ref.unknown_node /nodes/2/in/query',
      ]),
    );
    // Node a is there, whatever is wrong with it.
    expect(issues.some(({ message }) => message.includes('"a.x"'))).toBe(false);
  });

  it('keeps the fields of a node that are right', () => {
    const raw = plan(ask('a', '{{zebra.x}}', { limits: { usd: 'much' } }));
    const codes = validate(raw, catalogue(), { repair: false }).issues.map(({ code }) => code);
    expect(codes).toEqual(['shape.type', 'ref.unknown_node']);
  });
});

describe('what is no issue', () => {
  const valid = (raw: unknown, parts?: CatalogueParts) => {
    const all: Catalogue = catalogue(parts);
    return validate(raw, all, { repair: false }).issues;
  };
  it.each([
    [
      'rules for tools by either name, for handoffs, and where a tool is named by the run',
      plan(
        {
          id: 'a',
          use: 'llm',
          in: {
            prompt: 'x',
            tools: ['tool:search', 'send-mail'],
            rounds: 20,
            stopWhen: 'send-mail',
            approve: ['tool:send-mail', 'handoff:money', 'handoff:a'],
            toolLimits: { search: { calls: 3, usd: 0.5 } },
            transcript: true,
            agents: { money: { about: 'x', system: 'y', tools: ['search'], model: { tier: 'premium' } } },
          },
        },
        { id: 'b', use: 'llm', in: { messages: '{{a.meta.transcript}}', tools: ['{{a.text}}'], approve: ['search'] } },
      ),
    ],
    ['meta of a node', plan(ask('a', 'x'), ask('b', '{{a.meta.costUsd}} {{a.meta.model}}'))],
    ['a chain of fallbacks with a literal', plan(ask('a', 'x'), ask('b', '{{a.text ?? a.meta.model ?? "none"}}'))],
    ['any reference in a prompt', plan(search('a', 'x'), ask('b', '{{a.hits}}'))],
    ['prev in a repeat', plan(ask('a', 'Again: {{prev.text}}', { repeat: { until: 'self.text != ""', max: 3 } }))],
    [
      'fields of an output that nobody declared',
      plan({ id: 'a', use: 'tool:send-mail', in: { to: 'a', body: 'b' } }, ask('b', '{{a.any[3].thing}}')),
    ],
    [
      'a value step read by field',
      plan({ id: 'a', use: 'value', in: { n: 3, list: ['x'] } }, ask('b', '{{a.n}} {{a.list[0]}}')),
    ],
    [
      'an alias of the config, one of a card, and provider/model',
      plan(
        ask('a', 'x', { model: { id: 'cheap' } }),
        ask('b', '{{a.text}}', { model: { id: 'steady' } }),
        ask('c', '{{b.text}}', { model: { id: 'acme/swift-1' } }),
      ),
    ],
    [
      'a number where a whole number may come',
      plan(ask('a', 'x', { out: { n: 'number' } }), {
        id: 'b',
        use: 'tool:search',
        in: { query: 'x', top: '{{a.n}}' },
      }),
    ],
  ])('%s', (_, raw) => {
    expect(valid(raw)).toEqual([]);
  });

  it('a reference through $ref and anyOf of a tool', () => {
    const tool = {
      ...SEARCH,
      use: 'tool:tree',
      output: {
        $defs: {
          tree: { anyOf: [{ type: 'null' }, { type: 'object', properties: { next: { $ref: '#/$defs/tree' } } }] },
        },
        $ref: '#/$defs/tree',
      },
    };
    const raw = plan({ id: 'a', use: 'tool:tree', in: { query: 'x' } }, ask('b', '{{a.next.next.next}}'));
    expect(valid(raw, { steps: [tool], models: MODELS })).toEqual([]);
    const wrong = plan({ id: 'a', use: 'tool:tree', in: { query: 'x' } }, ask('b', '{{a.next.nxt}}'));
    expect(valid(wrong, { steps: [tool] }).map(({ code }) => code)).toEqual(['ref.unknown_field']);
  });
});

describe('models that a provider answers to without listing them', () => {
  const parts: Catalogue = {
    ...catalogue(),
    unlisted: (provider, id) => (provider === 'local' || provider === 'acme' ? card(id, 'fast', 0) : undefined),
  };
  const codesOf = (id: string) =>
    validate(plan({ id: 'a', use: 'llm', in: { prompt: 'x' }, model: { id } }), parts, { repair: false }).issues.map(
      ({ code }) => code,
    );

  it('may be named in full, in a node and in a ladder', () => {
    expect(codesOf('local/my-own')).toEqual([]);
    const escalate = { evaluator: 'validators', to: ['local/my-own'] };
    const { issues } = validate(plan({ id: 'a', use: 'llm', in: { prompt: 'x' }, escalate }), parts);
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it.each(['my-own', 'local/', '/my-own', 'zenith/my-own', 'acme/swfit-1'])('are no excuse for %s', (id) => {
    expect(codesOf(id)).toContain('model.unknown');
  });
});
