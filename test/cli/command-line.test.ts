import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { call, folderWith } from './call.ts';

const TEXT = 'The harbour is deep. Ships come each day. The harbour pays well for ships.';
const plan = {
  version: 1,
  goal: 'two texts',
  input: { text: 'string' },
  nodes: [
    { id: 'summary', use: 'llm', in: { prompt: 'Summarise the following text in one sentence.\n\n{{input.text}}' } },
    { id: 'join', use: 'value', in: { a: '{{summary.text}}' } },
  ],
  output: { summary: '{{join.a}}' },
};
const asking = {
  version: 1,
  goal: 'ask',
  nodes: [
    { id: 'review', use: 'human', in: { question: 'Publish?', choices: ['yes', 'no'] } },
    { id: 'last', use: 'value', in: { said: '{{review.answer}}' } },
  ],
  output: '{{last.said}}',
};
const ill = { version: 1, goal: 'ill', nodes: [{ id: 'a', use: 'tool:nothing_like_it', in: {} }] };

beforeAll(() => {
  for (const name of ['POLYPHONY_BASE_URL', 'OPENAI_BASE_URL', 'OPENAI_API_KEY']) vi.stubEnv(name, undefined);
  const folder = folderWith({
    'good.plan.json': plan,
    'asking.plan.json': asking,
    'ill.plan.json': ill,
    'empty.plan.json': '',
    'binary.plan.json': '\u0000\u0001\u001b[2J{',
    'list.json': '[1]',
    'half.json': '{"version":1, "nodes": [',
    'broken.yaml': 'retry: [1',
    'unknown.yaml': 'retri: {}',
    'number.yaml': '3',
    'bomb.yaml': `a: &a [x,x,x,x]\n${Array.from({ length: 60 }, () => 'b: [*a]').join('\n')}`,
    'package.yaml': 'plugins: [there-is-no-such-package]',
    'file.yaml': 'plugins: [./no-such-file.mjs]',
    'throws.yaml': 'plugins: [./throws.mjs]',
    'throws.mjs': 'throw new Error("the plugin fell over")',
    'three.yaml': 'plugins: [./three.mjs]',
    'three.mjs': 'export default 3',
    'noise.db': 'x'.repeat(5000),
    'stump.db': 'hi',
  });
  mkdirSync(join(folder, 'folder.json'));
  process.chdir(folder);
});

/** Arguments, the exit code, and what the message must hold: the value and the remedy. */
const WRONG: [given: string[], code: number, ...words: string[]][] = [
  [['run'], 2, 'what'],
  [['run', ''], 2, 'empty'],
  [[''], 2, 'empty'],
  [['nosuch'], 2, 'nosuch', '(see polyphony --help)'],
  [['spend', '--bye', 'model'], 2, '--bye', '(see polyphony spend --help)'],
  [['store', 'prune', '--order'], 2, '--older', '(see polyphony store prune --help)'],
  [['run', 'x', '--nope'], 2, '--nope'],
  [['run', 'missing.plan.json'], 2, 'missing.plan.json', 'name a plan file that exists'],
  [['run', 'folder.json'], 2, 'folder.json is a folder'],
  [['run', 'empty.plan.json'], 3, 'empty.plan.json', 'JSON'],
  [['run', 'binary.plan.json'], 3, 'binary.plan.json', 'JSON'],
  [['run', 'half.json'], 3, 'JSON'],
  [['run', 'list.json'], 3, 'array'],
  [['run', 'ill.plan.json'], 3, 'nothing_like_it'],
  [['run', 'workflow:nosuch'], 2, 'nosuch', 'choose one of'],
  [['run', 'good.plan.json'], 2, 'text'],
  [['run', 'good.plan.json', '-i', 'text=["a"]', '-i', '{"text":["a"]}'], 2, '/text'],
  [['run', 'good.plan.json', '-i', 'nokey'], 2, 'nokey', 'key=value'],
  [['run', 'good.plan.json', '-i', '{bad'], 2, '{bad'],
  [['run', 'good.plan.json', '-i', '@missing.json'], 2, 'missing.json'],
  [['run', 'good.plan.json', '-i', '@list.json'], 2, 'list.json', 'JSON object'],
  [['run', 'good.plan.json', '--budget', '-1'], 2, '--budget', '-1'],
  [['run', 'good.plan.json', '--budget', 'Infinity'], 2, 'Infinity'],
  [['run', 'good.plan.json', '--concurrency', '1.5'], 2, '1.5', 'whole number'],
  [['run', 'good.plan.json', '--tag', 'x'], 2, 'key=value'],
  [['run', 'good.plan.json', '--log', 'loud'], 2, 'loud'],
  [['run', 'write a poem about the sea'], 1, 'OPENAI_API_KEY'],
  [['plan', ''], 2, 'empty'],
  [['graph', 'a request'], 2, 'not a plan file'],
  [['graph', 'good.plan.json', '-f', 'png'], 2, 'png', 'svg'],
  [['graph', 'good.plan.json', '-f', 'svg', '-o', 'no-folder/x.svg'], 2, 'no-folder/x.svg', 'folder'],
  [['graph', 'run_unknown'], 2, 'run_unknown'],
  [['estimate', 'ill.plan.json'], 3, 'ill.plan.json'],
  [['runs', 'nosuch'], 2, 'nosuch', 'resume'],
  [['runs', 'show'], 2, 'run'],
  [['runs', 'show', 'run_x'], 2, 'run_x'],
  [['runs', 'watch', 'run_x'], 2, 'run_x'],
  [['runs', 'resume', 'run_x'], 2, 'run_x'],
  [['runs', 'replay', 'run_x'], 2, 'run_x'],
  [['runs', 'cancel', 'run_x'], 2, 'run_x'],
  [['runs', 'answer', 'run_x', 'a', 'b'], 2, 'run_x'],
  [['runs', 'fork', 'run_x'], 2, '--from'],
  [['runs', 'fork', 'run_x', '--from', 'a'], 2, 'run_x'],
  [['runs', 'list', '--limit', '0'], 2, '0'],
  [['runs', 'list', '--status', 'odd'], 2, 'odd', 'suspended'],
  [['spend', '--by', 'moon'], 2, 'moon', 'provider'],
  [['spend', '--last', '3'], 2, '7d'],
  [['spend', '--last', '7d', '--since', '4w'], 2, '--since', '--last'],
  [['spend', '--tokens', '--by', 'tag'], 2, '--tokens', '--by'],
  [['spend', '--tokens', '--forecast'], 2, '--tokens', '--forecast'],
  [['spend', '--by', 'tag,tag'], 2, 'tag', 'twice'],
  [['models', '--config', 'missing.yaml'], 2, 'missing.yaml'],
  [['models', '--config', 'broken.yaml'], 2, 'broken.yaml', 'YAML'],
  [['models', '--config', 'unknown.yaml'], 2, 'unknown.yaml', 'retri'],
  [['models', '--config', 'number.yaml'], 2, 'number.yaml', 'object'],
  [['models', '--config', 'bomb.yaml'], 2, 'bomb.yaml'],
  [['models', '--config', 'package.yaml'], 2, 'there-is-no-such-package', 'installed'],
  [['models', '--config', 'file.yaml'], 2, './no-such-file.mjs'],
  [['models', '--config', 'throws.yaml'], 2, './throws.mjs', 'the plugin fell over'],
  [['models', '--config', 'three.yaml'], 2, './three.mjs', 'default export'],
  [['models', '--store', ''], 2, '--store'],
  [['runs', 'list', '--store', '.'], 2, 'store', 'choose the path'],
  [['runs', 'list', '--store', 'noise.db'], 1, 'noise.db', 'backup'],
  [['run', 'good.plan.json', '-i', 'text=a', '--store', 'stump.db'], 1, 'stump.db', 'backup'],
];

describe('a pipe', () => {
  it('gets no control sequences, not even while a request is planned', async () => {
    const text = 'The harbour is deep. Ships come each day. The harbour pays well.';
    const told = await call(`Summarise the following text: ${text}`);
    expect(told.code).toBe(0);
    expect(told.out + told.err).not.toMatch(/\p{Cc}(?<![\n\t])/u);
  });
});

describe('what the user got wrong', () => {
  it.each(WRONG)('%j ends with %i and a sentence', async (given, code, ...words) => {
    const told = await call(...given);
    expect({ code: told.code, err: told.err }).toMatchObject({ code });
    for (const word of words) expect(told.err).toContain(word);
    expect(told.err).not.toMatch(/\n\s+at |internal|undefined|\[object/);
    expect(told.out).toBe('');
  });

  it.each(WRONG)('%j with --json prints one document with the error', async (given, code) => {
    const told = await call(...given, '--json');
    expect(told.code).toBe(code);
    const { error } = JSON.parse(told.out) as { error: { code: string; message: string } };
    expect(error.code).toMatch(/^[a-z-]+$/);
    expect(error.message.length).toBeGreaterThan(10);
  });

  it('nobody is told to resume a run that the store has refused', async () => {
    const { err } = await call('run', 'good.plan.json', '-i', 'text=a', '--store', 'stump.db');
    expect(err).not.toContain('resume');
  });
});

describe('nothing but options', () => {
  it('runs the first request where its texts are, and prints the help elsewhere', async () => {
    const before = process.cwd();
    expect((await call()).out).toContain('Usage: polyphony');
    expect(await call('--no-color')).toMatchObject({ code: 2, out: '' });
    const folder = folderWith();
    mkdirSync(join(folder, 'examples/material'), { recursive: true });
    for (const name of ['harbour', 'valley']) writeFileSync(join(folder, `examples/material/${name}.md`), TEXT);
    process.chdir(folder);
    const told = await call('--json');
    process.chdir(before);
    expect(told.code).toBe(0);
    expect(JSON.parse(told.out)).toMatchObject({ status: 'done' });
  });
});

const ASKING = /^(?:asking|counting)\.plan\.json$/;

describe('what goes well', () => {
  const document = async (...given: readonly string[]): Promise<Record<string, unknown>> => {
    const { code, out, err } = await call(...given, '--json');
    expect({ code, err }).toEqual({ code: given[0] === 'run' && ASKING.test(given[1] ?? '') ? 5 : 0, err: '' });
    return JSON.parse(out) as Record<string, unknown>;
  };

  it('run prints the answer on standard output, and about it on standard error', async () => {
    const told = await call('run', 'good.plan.json', '-i', `text=${TEXT}`);
    expect(told.code).toBe(0);
    expect(told.out).toMatch(/^summary .*harbour/);
    expect(told.err).toMatch(/^done .* 2 nodes · .* run run_\w+\n$/);
    expect((await call('run', 'good.plan.json', '-i', `text=${TEXT}`, '--quiet')).err).toBe('');
  });

  it('takes a value as text where the plan wants text', async () => {
    expect(await document('run', 'good.plan.json', '-i', 'text=3')).toMatchObject({ status: 'done' });
  });

  it('--events prints one JSON line an event', async () => {
    const { out, code } = await call('run', 'good.plan.json', '-i', `text=${TEXT}`, '--events');
    const types = out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(code).toBe(0);
    expect(types[0]).toBe('run-started');
    expect(types.at(-1)).toBe('run-finished');
  });

  it('--events tells the plan of a request as it is written, unless it is to be planned first', async () => {
    writeFileSync('note.md', TEXT);
    const eventsOf = async (...more: string[]): Promise<{ type: string; nodes?: { id: string }[] }[]> => {
      const { out } = await call('run', 'summarise note.md', '--events', ...more);
      return out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    };
    const events = await eventsOf();
    const told = events.flatMap(({ type, nodes = [] }) => (type === 'plan-delta' ? nodes.map(({ id }) => id) : []));
    expect(told.length).toBeGreaterThan(1);
    expect(events.at(-1)?.type).toBe('run-finished');
    const first = await eventsOf('--no-streaming');
    expect(first.filter(({ type }) => type.startsWith('plan-'))).toEqual([]);
    expect(first.at(-1)?.type).toBe('run-finished');
  });

  it('a run can be listed, shown, drawn, replayed, forked and accounted for', async () => {
    const { runId, nodes, costUsd } = await document('run', 'good.plan.json', '-i', `text=${TEXT}`, '--tag', 'a=b');
    const id = String(runId);
    expect(nodes).toHaveLength(2);
    expect(costUsd).toBe(0);
    expect(JSON.stringify(await document('runs', 'list'))).toContain(id);
    expect(await document('runs', 'show', id)).toMatchObject({ status: 'done' });
    expect((await call('runs', id)).out).toContain('summary');
    expect((await call('runs', 'watch', id, '--quiet')).out).toContain('harbour');
    expect(await document('graph', id, '-f', 'svg')).toMatchObject({ format: 'svg' });
    expect((await document('runs', 'replay', id)).length).toBeGreaterThan(3);
    const fork = await document('runs', 'fork', id, '--from', 'summary', '-i', 'text=7');
    expect(fork.runId).not.toBe(id);
    expect(fork).toMatchObject({ status: 'done', output: { summary: '7' } });
    const other = await document('runs', 'fork', id, '--from', 'join', '--with', 'a=said otherwise');
    expect(other).toMatchObject({ output: { summary: 'said otherwise' } });
    expect(await call('runs', 'fork', id, '--from', 'nosuch')).toMatchObject({ code: 2 });
    expect(await document('runs', 'resume', id)).toMatchObject({ runId: id, status: 'done' });
    expect(await call('runs', 'cancel', id, '--json')).toMatchObject({ code: 1 });
    for (const by of ['model', 'run', 'tag', 'day']) expect(await document('spend', '--by', by)).not.toHaveLength(0);
    expect(await document('spend', '--tokens')).toEqual(expect.any(Array));
  });

  it('a suspended run ends with 5, refuses a wrong answer with 2, and goes on with the right one', async () => {
    const { runId, waiting } = await document('run', 'asking.plan.json');
    expect(waiting).toMatchObject([{ nodeId: 'review', choices: ['yes', 'no'] }]);
    const id = String(runId);
    expect(await call('runs', 'answer', id, 'review', 'perhaps')).toMatchObject({ code: 2 });
    expect(await document('runs', 'answer', id, 'review', 'yes', '--no-resume')).toMatchObject({ answered: true });
    expect(await document('runs', 'resume', id)).toMatchObject({ status: 'done', output: 'yes' });
  });

  it('an answer goes to the item that it names, as JSON or as text', async () => {
    const counting = {
      version: 1,
      nodes: [
        { id: 'kinds', use: 'value', in: { of: ['a', 'b', 'c'] } },
        { id: 'count', use: 'human', each: '{{kinds.of}}', in: { question: 'How many {{item}}?' } },
      ],
      output: '{{count}}',
    };
    writeFileSync('counting.plan.json', JSON.stringify(counting));
    const { runId, waiting } = await document('run', 'counting.plan.json');
    expect(waiting).toMatchObject([0, 1, 2].map((item) => ({ nodeId: 'count', item })));
    const id = String(runId);
    const shown = (await call('runs', id)).err;
    expect(shown).toContain('count[2] asks: How many c?');
    expect(shown).toContain("'count[2]' '<answer>'");
    const unclear = await call('runs', 'answer', id, 'count', '3');
    expect(unclear).toMatchObject({ code: 2 });
    expect(unclear.err).toContain('count[1] (How many b?)');
    expect(await call('runs', 'answer', id, 'count', '3', '--item', 'x')).toMatchObject({ code: 2 });
    const answer = (text: string, ...more: string[]) => document('runs', 'answer', id, 'count', text, ...more);
    expect(await answer('3', '--item', '2', '--no-resume')).toMatchObject({ item: 2, answered: true });
    await answer('"3"', '--item', '0', '--no-resume');
    const { output } = await answer('{"approved": true, "answer": [1]}');
    expect(output).toEqual([
      { answer: '3', approved: false },
      { answer: [1], approved: true },
      { answer: 3, approved: false },
    ]);
    expect(await call('runs', 'answer', id, 'count', '1')).toMatchObject({ code: 2 });
  });

  it('a suspended run can be cancelled', async () => {
    const { runId } = await document('run', 'asking.plan.json');
    expect(await document('runs', 'cancel', String(runId))).toMatchObject({ cancelled: true, status: 'cancelled' });
  });

  it('plan, validate, estimate, models, route and doctor print one document each', async () => {
    writeFileSync('note.md', TEXT);
    expect(await document('plan', 'summarise note.md', '-o', 'made.plan.json')).toMatchObject({
      file: 'made.plan.json',
    });
    expect(await document('validate', 'made.plan.json')).toMatchObject({ valid: true });
    expect(await document('estimate', 'made.plan.json')).toHaveProperty('run');
    expect(await document('run', 'made.plan.json')).toMatchObject({ status: 'done' });
    expect(await document('models')).not.toHaveLength(0);
    expect(await document('route', 'hello')).toHaveProperty('candidates');
    expect(await document('doctor')).not.toContainEqual(expect.objectContaining({ ok: false }));
  });

  it('init writes what its hint then runs, and never overwrites', async () => {
    const before = process.cwd();
    process.chdir(folderWith({ '.gitignore': 'node_modules' }));
    const { next } = await document('init');
    const [, what = '', flag = '', value = ''] = /run (\S+) (--input) (\S+)$/.exec(String(next)) ?? [];
    expect(await document('run', what, flag, value)).toMatchObject({ status: 'done' });
    expect(readFileSync('.gitignore', 'utf8')).toBe('node_modules\n.polyphony/\n');
    expect(existsSync('.polyphony/polyphony.db')).toBe(true);
    expect(await call('init')).toMatchObject({ code: 2 });
    process.chdir(before);
  });

  it.each([
    ['run'],
    ['plan'],
    ['validate'],
    ['estimate'],
    ['graph'],
    ['models'],
    ['route'],
    ['spend'],
    ['doctor'],
    ['init'],
    ['runs', 'list'],
    ['runs', 'show'],
    ['runs', 'watch'],
    ['runs', 'replay'],
    ['runs', 'cancel'],
    ['runs', 'resume'],
    ['runs', 'fork'],
    ['runs', 'answer'],
  ])('help of %s %s explains itself with an example', async (...words) => {
    const { code, out } = await call(...words, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`Usage: polyphony ${words.join(' ')}`);
    expect(out).toMatch(/Examples:\n {2}polyphony /);
  });
});
