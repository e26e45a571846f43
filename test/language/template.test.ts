import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTemplate, listReferences, parseTemplate, renderValue, walkPath } from '../../src/language/template.ts';
import { escapeTemplate, TEMPLATE_BOUNDS, writtenStep } from '../../src/language/template-syntax.ts';

const scope = (values: Record<string, unknown>) => (head: string) =>
  Object.hasOwn(values, head) ? values[head] : undefined;
const render = (value: unknown, values: Record<string, unknown>) => renderValue(value, scope(values));

describe('parsing', () => {
  it('splits text and references, with offsets and paths', () => {
    const { segments, issues } = parseTemplate('a {{ docs.hits[0].title ?? kind }} b');
    expect(issues).toEqual([]);
    expect(segments).toEqual([
      { type: 'text', text: 'a ' },
      {
        type: 'reference',
        reference: {
          alternatives: [
            { type: 'path', head: 'docs', path: ['hits', 0, 'title'], text: 'docs.hits[0].title' },
            { type: 'path', head: 'kind', path: [], text: 'kind' },
          ],
        },
        start: 2,
        end: 34,
      },
      { type: 'text', text: ' b' },
    ]);
  });

  it.each([
    ['{{a ?? "x"}}', 'x'],
    ["{{a ?? 'x'}}", 'x'],
    ["{{a ?? 'it\\'s \"so\"'}}", 'it\'s "so"'],
    ['{{a ?? "\\u007d}"}}', '}}'],
    ['{{a ?? -1.5e2}}', -150],
    ['{{a ?? true}}', true],
    ['{{a ?? false}}', false],
    ['{{a ?? null}}', null],
    ['{{a.b ?? c[1] ?? 0}}', 0],
    ['{{a ?? 0.5}}', 0.5],
    ['{{a ?? ""}}', ''],
    ['{{a ?? "tab\\t, \\u00e9, \\\\ and \\"quotes\\""}}', 'tab\t, é, \\ and "quotes"'],
  ])('reads the literal of %s', (text, value) => {
    expect(parseTemplate(text).issues).toEqual([]);
    expect(render(text, {})).toBe(value);
  });

  it.each([
    '{{}}',
    '{{ }}',
    '{{"x"}}',
    '{{1}}',
    '{{a.}}',
    '{{a..b}}',
    '{{a b}}',
    '{{a()}}',
    '{{a[b]}}',
    '{{a[-1]}}',
    '{{a[01]}}',
    '{{a ?? }}',
    '{{?? a}}',
    '{{a ?? "x" ?? b}}',
    '{{a ? b}}',
    '{{a + b}}',
    '{{a ?? "x}}',
    '{{a["b"}}',
    '{{a["b}}',
    '{{a["b"].}}',
    '{{a ?? [}}',
    '{{a ?? []  ?? b}}',
    '{{a ?? [] b}}',
    '{{[]}}',
    "{{a ?? ['x']}}",
    `{{a ?? ${'['.repeat(9)}${']'.repeat(9)}}}`,
    '{{a ?? {"__proto__": 1} }}',
    '{{(a ?? b).c}}',
    `{{a${'.b'.repeat(33)}}}`,
    `{{${'a'.repeat(2001)}}}`,
    `{{a${' ?? a'.repeat(16)}}}`,
  ])('reports %s and keeps it as text', (text) => {
    const { segments, issues } = parseTemplate(`x ${text} y {{ok}}`);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ code: 'template.syntax', at: 2 });
    expect(segments[0]).toEqual({ type: 'text', text: `x ${text} y ` });
    expect(segments[1]).toMatchObject({ type: 'reference' });
  });

  it.each([
    ['{{a ?? []}}', []],
    ['{{ a ?? [ ] }}', []],
    ['{{a ?? {}}}', {}],
    ['{{a ?? {} }}', {}],
    ['{{a ?? ["x", 1, null, true]}}', ['x', 1, null, true]],
    ['{{a ?? {"k": {"n": []}}}}', { k: { n: [] } }],
    ['{{a ?? [{"k": "]"}, "??"]}}', [{ k: ']' }, '??']],
  ])('reads the list or the object of %s, and gives everyone a copy', (text, value) => {
    expect(parseTemplate(text)).toMatchObject({ issues: [], segments: [{ end: text.length }] });
    const compiled = compileTemplate(text);
    const first = compiled.render(scope({}));
    expect(first).toEqual(value);
    expect(compiled.render(scope({}))).not.toBe(first);
    expect(render(text, { a: 'there' })).toBe('there');
    expect(render(`<${text}>`, {})).toBe(`<${JSON.stringify(value)}>`);
  });

  it('leaves braces behind a reference as text, where they are not the end of an object', () => {
    expect(render('{{a}}}', { a: 1 })).toBe('1}');
    expect(render('{"x": {{a ?? 0}}}', {})).toBe('{"x": 0}');
    expect(render('{"x": {{a ?? {}}}}', {})).toBe('{"x": {{a ?? {}}}}');
  });

  it.each<[string, unknown]>([
    ['{{a["first name"]}}', 'Ada'],
    ["{{a['first name']}}", 'Ada'],
    ['{{a[ "a.b" ].c[0]}}', 'dots'],
    ['{{a["\\u007d\\u007d"]}}', 'braces'],
    ['{{a[""]}}', 'empty'],
    ['{{a.list.0.n}}', 1],
    ['{{a.list.01.n}}', null],
    ['{{a.list.length}}', null],
    ['{{a.0}}', 'key'],
  ])('reads any key, and an index after a dot: %s', (text, value) => {
    const a = { 'first name': 'Ada', 'a.b': { c: ['dots'] }, '}}': 'braces', '': 'empty', list: [{ n: 1 }], 0: 'key' };
    expect(parseTemplate(text).issues).toEqual([]);
    expect(render(text, { a })).toBe(value);
  });

  it('reads back every key as it writes it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (key) => {
        fc.pre(key !== '__proto__');
        expect(render(`{{a${writtenStep(key)}}}`, { a: { [key]: 'x' } })).toBe('x');
      }),
    );
  });

  it('reads names and dots as it reads the same path with a blank before it', () => {
    const steps = ['a', 'b2', '_x', 'a-b', '0', 'true', 'null', '$', ''];
    for (const head of steps) {
      for (const step of steps) {
        const [plain, spaced] = [`${head}.${step}`, ` ${head}.${step}`].map((path) => parseTemplate(`{{${path}}}`));
        const meaning = (parsed = plain) =>
          parsed?.segments.map((segment) => (segment.type === 'reference' ? segment.reference : 'text'));
        expect(meaning(), `${head}.${step}`).toEqual(meaning(spaced));
      }
    }
    const long = `a${'.b'.repeat(TEMPLATE_BOUNDS.pathLength + 1)}`;
    expect(parseTemplate(`{{${long}}}`).issues).toHaveLength(1);
  });

  it('reports a reference without an end', () => {
    expect(parseTemplate('a {{b').issues).toMatchObject([{ code: 'template.unterminated', at: 2 }]);
    expect(render('a {{b', {})).toBe('a {{b');
  });

  it('bounds length and number of references', () => {
    const many = '{{a}}'.repeat(TEMPLATE_BOUNDS.references + 1);
    expect(parseTemplate(many).issues).toMatchObject([{ code: 'template.size' }]);
    expect(parseTemplate(many.slice(5)).issues).toEqual([]);
    const long = `{{a}}${' '.repeat(TEMPLATE_BOUNDS.length)}`;
    expect(parseTemplate(long)).toMatchObject({ segments: [{ type: 'text' }], issues: [{ code: 'template.size' }] });
  });

  it('takes four braces for two, and the first of three for text', () => {
    expect(render('{{{{a}}', { a: 1 })).toBe('{{a}}');
    expect(render('{"k":{{{a}}}}', { a: 1 })).toBe('{"k":{1}}');
    expect(render('{{{{{{a}}', { a: 1 })).toBe('{{1');
    expect(render('{{{{{{{a}}', { a: 1 })).toBe('{{{1');
    expect(render('}} {a} {', {})).toBe('}} {a} {');
  });
});

describe('rendering', () => {
  it('keeps the type of a string that is one reference and nothing else', () => {
    const hits = [{ id: 1 }];
    expect(render('{{docs.hits}}', { docs: { hits } })).toBe(hits);
    expect(render('{{n}}', { n: 0 })).toBe(0);
    expect(render('{{n}}', { n: false })).toBe(false);
    expect(render('{{n}}', {})).toBeNull();
  });

  it('puts strings as they are, null as nothing and all else as compact JSON into text', () => {
    const values = { s: 'a"b', n: 1.5, t: true, z: null, o: { a: [1, { b: 2 }] } };
    expect(render('{{s}}|{{n}}|{{t}}|{{z}}|{{missing.x}}|{{o}}', values)).toBe('a"b|1.5|true|||{"a":[1,{"b":2}]}');
  });

  it('falls through on null and missing only', () => {
    expect(render('{{a ?? b}}', { a: '', b: 'x' })).toBe('');
    expect(render('{{a ?? b}}', { a: 0, b: 'x' })).toBe(0);
    expect(render('{{a ?? b}}', { a: false, b: 'x' })).toBe(false);
    expect(render('{{a ?? b.c ?? d}}', { a: null, b: {}, d: 'x' })).toBe('x');
  });

  it('renders nested values, keys excepted, and shares what holds no reference', () => {
    const fixed = { deep: [1, 2] };
    const rendered = render({ '{{a}}': ['{{a}}', { x: 'n{{a}}' }], fixed, none: null }, { a: 7 });
    expect(rendered).toEqual({ '{{a}}': [7, { x: 'n7' }], fixed: { deep: [1, 2] }, none: null });
    expect((rendered as { fixed: unknown }).fixed).toBe(fixed);
    expect(render(fixed, {})).toBe(fixed);
    expect(compileTemplate(fixed).dynamic).toBe(false);
    expect(render(['{{missing}}', undefined], {})).toEqual([null, undefined]);
  });

  it('reaches own properties of objects and items of arrays, and nothing else', () => {
    const own: unknown = JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}');
    expect(render('{{a.__proto__.x}}', { a: own })).toBe(1);
    expect(render('{{a.constructor}}', { a: own })).toBe(2);
    for (const path of ['__proto__', 'constructor', 'constructor.name', 'toString', 'hasOwnProperty']) {
      expect(render(`{{a.${path}}}`, { a: {} })).toBeNull();
    }
    expect(render('{{a.length}}', { a: [1] })).toBeNull();
    expect(render('{{a.length}}', { a: 'text' })).toBeNull();
    expect(render('{{a[0]}}', { a: 'text' })).toBeNull();
    expect(render('{{a[0]}}', { a: { 0: 'x' } })).toBeNull();
    expect(walkPath([1], ['0'])).toBe(1);
    expect(walkPath([1], ['00'])).toBeUndefined();
  });

  it('never sets a prototype', () => {
    const rendered = render(JSON.parse('{"__proto__": {"polluted": "{{a}}"}}'), { a: 1 }) as object;
    expect(Object.getPrototypeOf(rendered)).toBe(Object.prototype);
    expect(Object.keys(rendered)).toEqual(['__proto__']);
    expect(JSON.stringify(rendered)).toBe('{"__proto__":{"polluted":1}}');
    expect('polluted' in {}).toBe(false);
  });

  it('refuses cycles and bottomless nesting with the rule', () => {
    const cycle: Record<string, unknown> = { text: '{{a}}' };
    cycle.self = cycle;
    expect(() => compileTemplate(cycle)).toThrow(expect.objectContaining({ code: 'invalid-plan' }));
  });
});

describe('listing', () => {
  it('gives the JSON pointer of each reference in document order', () => {
    const found = listReferences({ a: ['{{x}}', { 'b/~': '{{y.z}} {{x}}' }], c: 1, d: '{{w}}' });
    expect(found.map(({ pointer, reference }) => [pointer, reference.alternatives[0]])).toMatchObject([
      ['/a/0', { head: 'x' }],
      ['/a/1/b~1~0', { head: 'y', path: ['z'] }],
      ['/a/1/b~1~0', { head: 'x' }],
      ['/d', { head: 'w' }],
    ]);
  });

  it('ends on cycles and on values that branch without end', () => {
    const cycle: Record<string, unknown> = { text: '{{a}}' };
    cycle.left = cycle;
    cycle.right = cycle;
    expect(listReferences(cycle).length).toBeGreaterThan(1);
    expect(listReferences(new Array(2_000_000).fill('{{a}}'))).toEqual([]);
  });
});

describe('properties', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom('{', '{{', '}}', '}', '??', '"', "'", '.', '[0]', 'a', 'a.b', ' ', '\\', 'null', '1', '-'),
      fc.string(),
    ),
  );
  const texts = pieces.map((list) => list.join(''));

  it('parses anything without throwing, and covers the text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { segments } = parseTemplate(text);
        for (const segment of segments) {
          if (segment.type === 'reference') expect(text.slice(segment.start, segment.end)).toMatch(/^\{\{.*\}\}$/s);
          else if (segment.type === 'text') expect(segment.text).not.toBe('');
        }
        expect(listReferences({ text })).toHaveLength(segments.filter(({ type }) => type === 'reference').length);
      }),
    );
  });

  it('renders escaped text as the text, wherever it stands', () => {
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        expect(render(escapeTemplate(before), {})).toBe(before);
        const around = `${escapeTemplate(before)}{{a}}${escapeTemplate(after)}`;
        expect(render(around, { a: 'x' })).toBe(`${before}x${after}`);
      }),
    );
  });

  it('renders what it refers to, however deep', () => {
    const keys = fc.array(fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/), { minLength: 1, maxLength: 32 });
    fc.assert(
      fc.property(keys, fc.jsonValue(), (path, leaf) => {
        const data = path.reduceRight<unknown>((value, key) => Object.fromEntries([[key, value]]), leaf);
        expect(render(`{{head.${path.join('.')}}}`, { head: data })).toEqual(leaf);
      }),
    );
  });

  it('leaves JSON without braces as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes('{{'));
        expect(render(value, {})).toBe(value);
      }),
    );
  });

  it('takes work in proportion to the length', () => {
    // A quadratic scanner would need hours for these.
    for (const part of ['{{', '{{"', "{{'}}", '{{a ?? "}}', '{{a.b', '{{{', '}}', '{{a[0']) {
      expect(parseTemplate(part.repeat(Math.floor(1_000_000 / part.length))).segments.length).toBeGreaterThan(0);
    }
  });
});
