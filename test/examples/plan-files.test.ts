/** Every plan in examples/plans is run by the command, with what stands beside it: a new file needs no line here. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Command,
  partOf,
  planExamples,
  runPlanExample,
  strayFiles,
} from '../../scripts/examples/plan-examples.ts';
import { call } from '../cli/call.ts';

const keys = Object.keys(process.env).filter((name) => /_(?:KEY|API_TOKEN|BASE_URL|BEARER_TOKEN_BEDROCK)$/.test(name));
for (const name of [...keys, 'OLLAMA_HOST', 'POLYPHONY_BEDROCK']) delete process.env[name];

const command: Command = async (given, { folder, environment }) => {
  const before = process.cwd();
  process.chdir(folder);
  Object.assign(process.env, environment);
  try {
    return await call(...given);
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
    process.chdir(before);
  }
};

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder of plans that are not among the examples. */
function plansIn(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-plans-'));
  folders.push(folder);
  for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(value));
  return folder;
}

describe('the plans of examples/plans', () => {
  it('are nine at least, and every file belongs to one', () => {
    expect(planExamples().length).toBeGreaterThanOrEqual(9);
    expect(strayFiles()).toEqual([]);
  });

  // `npm run examples` runs every one of them.
  it.each(planExamples().filter((_, index) => index % 4 === 0))('%s runs to its end by the command', async (name) => {
    const { status, output, error, waiting } = await runPlanExample(name, command);
    expect({ status, error, waiting }).toEqual({ status: 'done', error: undefined, waiting: undefined });
    expect(JSON.stringify(output)).not.toMatch(/^(?:null|""|\{\}|\[\])$/);
    const expected = partOf(name, 'output');
    if (expected !== undefined) expect({ output }).toMatchObject({ output: expected });
  });
});

describe('what stands beside a plan', () => {
  const label = { id: 'kind', use: 'llm', in: { prompt: 'Classify {{input.text}}' }, out: { label: 'a|b' } };
  const plan = { version: 1, input: { text: 'string' }, nodes: [label], output: '{{kind.label}}' };

  it('scripts the models, by the words that are asked', async () => {
    const models = {
      answers: [
        { asked: ['Classify', 'second'], answer: { label: 'b' } },
        { asked: 'Classify', answer: { label: 'a' } },
      ],
    };
    for (const [text, expected] of [
      ['first', 'a'],
      ['second', 'b'],
    ]) {
      const folder = plansIn({ 'x.plan.json': plan, 'x.input.json': { text }, 'x.models.json': models });
      expect(await runPlanExample('x', command, folder)).toMatchObject({ status: 'done', output: expected });
    }
  });

  it('scripts rounds and calls of tools', async () => {
    const rounds = {
      id: 'draft',
      use: 'llm',
      in: { prompt: 'Draft.' },
      repeat: { until: "self.text == 'short'", max: 5 },
    };
    const agent = { id: 'sum', use: 'llm', needs: ['draft'], in: { prompt: 'Add one and two.', tools: ['calculate'] } };
    const folder = plansIn({
      'x.plan.json': { version: 1, nodes: [rounds, agent], output: ['{{draft.text}}', '{{sum.text}}'] },
      'x.models.json': {
        answers: [
          { asked: 'Draft', answers: ['long', 'shorter', 'short'] },
          { asked: ['Add one', 'tool-result'], answer: 'three' },
          { answer: { toolCalls: [{ name: 'calculate', arguments: { expression: '1 + 2' } }] } },
        ],
      },
    });
    expect(await runPlanExample('x', command, folder)).toMatchObject({ output: ['short', 'three'] });
  });

  it('has no answer for what was not foreseen', async () => {
    const models = { answers: [{ asked: 'Translate', answer: 'x' }] };
    const folder = plansIn({ 'x.plan.json': plan, 'x.input.json': { text: 'this' }, 'x.models.json': models });
    const { status, error } = await runPlanExample('x', command, folder);
    expect(status).toBe('failed');
    expect(error?.message).toContain('has no answer to: ');
  });

  it('answers what a person is asked, and only that', async () => {
    const asks = [
      { id: 'one', use: 'human', in: { question: 'One?' } },
      { id: 'two', use: 'human', in: { question: 'Two?', choices: ['yes', 'no'] } },
    ];
    const files = { 'x.plan.json': { version: 1, nodes: asks, output: ['{{one.answer}}', '{{two.answer}}'] } };
    const all = plansIn({ ...files, 'x.answers.json': { one: 'first', two: ['no'] } });
    expect(await runPlanExample('x', command, all)).toMatchObject({ status: 'done', output: ['first', 'no'] });
    const some = plansIn({ ...files, 'x.answers.json': { one: 'first' } });
    expect(await runPlanExample('x', command, some)).toMatchObject({
      status: 'suspended',
      waiting: [{ nodeId: 'two' }],
    });
  });

  it('answers questions of nested runs, by their ids or by the node', async () => {
    const asks = { id: 'ask', use: 'human', in: { question: 'Which?' } };
    const body = { input: { of: 'any' }, nodes: [asks], output: '{{ask.answer}}' };
    const cases = { id: 'cases', use: 'workflow:one', each: '{{input.list}}', in: { of: '{{item}}' } };
    const files = {
      'x.plan.json': {
        version: 1,
        input: { list: 'string[]' },
        workflows: { one: body },
        nodes: [cases],
        output: '{{cases}}',
      },
      'x.input.json': { list: ['a', 'b', 'c'] },
    };
    const some = plansIn({ ...files, 'x.answers.json': { 'cases[1]/ask': 'second', cases: 'any' } });
    expect(await runPlanExample('x', command, some)).toMatchObject({ output: ['any', 'second', 'any'] });
  });

  it('is named as its plan is', () => {
    const folder = plansIn({
      'x.plan.json': plan,
      'x.ts': '',
      'z.ts': '',
      'x.input.json': {},
      'y.input.json': {},
      'x.model.json': {},
    });
    expect([...strayFiles(folder)].sort()).toEqual(['x.model.json', 'y.input.json', 'z.ts']);
  });
});
