import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemberReader } from '../../../src/kit/json/json-members.ts';
import { plainNode, plainPlan } from '../../../src/planner/form/plain-plan.ts';
import { plainStream } from '../../../src/planner/form/plain-stream.ts';
import { closedPlan } from '../../eval/closed-plan.ts';
import { TASKS } from '../../eval/tasks/index.ts';

const GOLDS = TASKS.flatMap(({ golds }) => golds);

describe('a plan in the closed shape', () => {
  it('is read with every kind of field, at each level', () => {
    const node = {
      id: 'a',
      use: 'llm',
      in: [
        { name: 'prompt', value: 'Say it.' },
        { name: 'rows', value: [{ fields: [{ name: 'name', value: 'Oslo' }] }, 3, null] },
      ],
      more: [
        { name: 'out', value: [{ name: 'kind', value: 'town|city' }] },
        {
          name: 'model',
          value: [
            { name: 'tier', value: 'fast' },
            { name: 'id', value: null },
          ],
        },
        { name: 'onError', value: [{ name: 'value', value: null }] },
        { name: 'needs', value: ['b'] },
        {
          name: 'undo',
          value: [
            { name: 'use', value: 'tool:x' },
            { name: 'in', value: { fields: [{ name: 'id', value: 1 }] } },
          ],
        },
        { name: 'when', value: null },
      ],
    };
    expect(plainNode(node, 'closed')).toEqual({
      id: 'a',
      use: 'llm',
      in: { prompt: 'Say it.', rows: [{ name: 'Oslo' }, 3, null] },
      out: { kind: 'town|city' },
      model: { tier: 'fast' },
      onError: { value: null },
      needs: ['b'],
      undo: { use: 'tool:x', in: { id: 1 } },
    });
  });

  it('keeps what is no such list, so that the validator tells what is wrong', () => {
    const twice = [
      { name: 'prompt', value: 'a' },
      { name: 'prompt', value: 'b' },
    ];
    expect(plainNode({ id: 'a', use: 'llm', in: twice }, 'closed')).toEqual({ id: 'a', use: 'llm', in: twice });
    const other = [{ key: 'prompt', value: 'a' }];
    expect(plainNode({ id: 'a', use: 'llm', in: other, more: other }, 'closed')).toEqual({
      id: 'a',
      use: 'llm',
      in: other,
      more: other,
    });
  });

  it('is not unwrapped where the shape is open: an object may have a field "fields"', () => {
    const value = { fields: [{ name: 'x', value: 1 }] };
    const node = { id: 'a', use: 'value', in: { value }, when: null };
    expect(plainNode(node, 'open')).toEqual({ id: 'a', use: 'value', in: { value } });
    expect(plainNode(node, 'closed')).toEqual({ id: 'a', use: 'value', in: { value: { x: 1 } } });
  });

  it('keeps the names of no prototype', () => {
    const plain = plainNode({ id: 'a', use: 'value', in: [{ name: '__proto__', value: { fields: [] } }] }, 'closed');
    expect(JSON.stringify(plain)).toBe('{"id":"a","use":"value","in":{"__proto__":{}}}');
    expect(Object.getPrototypeOf((plain as { in: object }).in)).toBe(Object.prototype);
  });

  it('makes nothing throw, and a plan of the format stays as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('closed' as const, 'open' as const), (value, shape) => {
        plainPlan(value, shape);
        plainPlan({ nodes: [value], more: value, workflows: value, input: value, output: value }, shape);
        plainNode(
          {
            in: value,
            out: value,
            more: [
              { name: 'undo', value },
              { name: 'model', value },
            ],
          },
          shape,
        );
      }),
    );
    for (const gold of GOLDS) expect(plainPlan({ goal: '', ...gold }, 'open')).toEqual({ goal: '', ...gold });
  });

  it('may be nested as deep as a parser takes it', () => {
    const deep = JSON.parse(`${'['.repeat(4000)}${']'.repeat(4000)}`) as unknown;
    expect(() => plainNode({ in: [{ name: 'x', value: deep }] }, 'closed')).not.toThrow();
  });
});

describe('a plan that is being written', () => {
  const read = (text: string): unknown => {
    const stream = createMemberReader({ array: 'nodes', isFirst: true });
    return stream.push(text).map(({ key, element, text: member }) => ({ key, element, value: JSON.parse(member) }));
  };

  it('gives the same nodes as one in the form of the format, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...GOLDS),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (gold, sizes) => {
          const written = JSON.stringify(closedPlan({ goal: 'g', ...gold }));
          const stream = plainStream('closed', written.length);
          let plain = '';
          for (let at = 0, turn = 0; at < written.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            plain += stream.push(written.slice(at, at + size));
            at += size;
          }
          const whole = plainPlan(JSON.parse(written), 'closed') as { readonly nodes: unknown[] };
          const { version: _version, ...members } = whole as unknown as Record<string, unknown>;
          const { nodes, output: _output, ...head } = members;
          expect(read(`${plain}}`)).toEqual(
            expect.arrayContaining([
              ...Object.entries(head).map(([key, value]) => ({ key, element: undefined, value })),
              ...whole.nodes.map((value, element) => ({ key: 'nodes', element, value })),
            ]),
          );
          expect(nodes).toHaveLength(gold.nodes.length);
        },
      ),
    );
  });

  it('gives a node at the character that ends it', () => {
    const stream = plainStream('closed', 10_000);
    const begun = '{"goal":"g","more":[],"nodes":[{"id":"a","use":"value","in":[{"name":"x","value":1}],"more":[]';
    expect(stream.push(begun)).not.toContain('"id"');
    expect(stream.push('}')).toContain('{"id":"a","use":"value","in":{"x":1}}');
  });

  it('gives no node that stands among the pairs of more, which the whole plan has not', () => {
    const more = [{ name: 'nodes', value: [{ id: 'b', use: 'value' }] }];
    const written = { goal: 'g', more, nodes: [{ id: 'a', use: 'value', in: [], more: [] }], output: null };
    expect(plainPlan(written, 'closed')).toMatchObject({ nodes: [{ id: 'a' }] });
    expect(plainStream('closed', 10_000).push(JSON.stringify(written))).not.toContain('"b"');
  });

  it('behind prose gives nothing', () => {
    expect(
      plainStream('closed', 10_000).push(`Here: ${JSON.stringify(closedPlan(GOLDS[0] ?? { version: 1, nodes: [] }))}`),
    ).toBe('');
  });
});
