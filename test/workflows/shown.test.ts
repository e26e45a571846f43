/**
 * The workflows that people show each other, in three forms: TypeScript, plan file, request. Where the embedded engine is no
 * honest answer, and for every request, the models are a script on a loopback server.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPool, pictureOf } from '../../scripts/workflow-pictures.ts';
import { createPolyphony, type Plan, type Polyphony, type RunOutcome } from '../../src/index.ts';
import type { Workflow } from '../../src/workflow/index.ts';
import { CASES, type Case } from './cases.ts';
import { type Pool, type Rule, scriptedPool } from './pool.ts';

const root = resolve(import.meta.dirname, '../..');
const planOf = (name: string): Plan => JSON.parse(readFileSync(join(root, `workflows/${name}.plan.json`), 'utf8'));
const builtOf = async (name: string): Promise<Workflow<Record<string, unknown>, unknown, boolean>> =>
  (await import(join(root, `workflows/${name}.ts`))).default;

async function withPool<T>(
  { providers }: Pool,
  names: readonly string[],
  use: (polyphony: Polyphony) => Promise<T>,
): Promise<T> {
  const workflows = await Promise.all(names.map(builtOf));
  const polyphony = await createPolyphony({ providers, workflows, config: { planner: { model: 'pool/planner' } } });
  try {
    return await use(polyphony);
  } finally {
    await polyphony.close();
  }
}

/** Answers what the run asks, until it is done. */
async function ended(
  polyphony: Polyphony,
  run: RunOutcome<unknown, boolean>,
  { answers = {} }: Case,
): Promise<unknown> {
  let outcome = run as RunOutcome;
  while (outcome.status === 'suspended') {
    const [question] = outcome.waiting ?? [];
    if (question === undefined) throw new Error('The run waits for nothing.');
    const answer = answers[question.id.split('/').at(-1) ?? ''];
    if (answer === undefined) throw new Error(`The case has no answer to ${question.id}.`);
    outcome = (await (await polyphony.runs.answer(outcome.runId, question.id, answer)).result()) as RunOutcome;
  }
  return outcome.output;
}

/** What a planner writes that is told of the workflow. */
const planned = ({ name, request, input }: Case): Rule => ({
  asked: ['planner', request, `workflow:${name}`],
  answer: {
    version: 1,
    goal: request,
    nodes: [{ id: 'all', use: `workflow:${name}`, in: input }],
    output: '{{all}}',
  },
});

describe.each(CASES)('$name, answered by a script', (one) => {
  const { name, request, input, rules, pictures, output } = one;
  const form = (
    extra: readonly Rule[],
    names: readonly string[],
    run: (polyphony: Polyphony) => Promise<RunOutcome<unknown, boolean>>,
  ) =>
    scriptedPool([...extra, ...rules], pictures).then((pool) =>
      withPool(pool, names, async (polyphony) =>
        expect(await ended(polyphony, await run(polyphony), one)).toEqual(output),
      ),
    );

  it('runs as TypeScript', async () => {
    const built = await builtOf(name);
    await form([], [], (polyphony) => polyphony.run(built, { ...input }));
  });

  it('runs as a plan file', () => form([], [], (polyphony) => polyphony.run(planOf(name), input)));

  it('runs as a request', () => form([planned(one)], [name], (polyphony) => polyphony.run(request)));
});

describe.each(CASES)('$name', ({ name, request }) => {
  let polyphony: Polyphony;
  beforeAll(async () => {
    polyphony = await openPool();
  });
  afterAll(() => polyphony.close());

  it('has the plan file that the builder emits, to the hash', async () => {
    const [file, built] = [
      await polyphony.validate(planOf(name)),
      await polyphony.validate((await builtOf(name)).plan),
    ];
    expect({ issues: file.issues, repaired: file.repaired }).toEqual({ issues: [], repaired: [] });
    expect(file.plan?.hash).toMatch(/^[\da-f]{16,}$/);
    expect(file.plan?.hash, 'run `npm run workflows`').toBe(built.plan?.hash);
  });

  it('has a page with its picture, its request and its three forms', async () => {
    const page = readFileSync(join(root, `docs/workflows/${name}.md`), 'utf8');
    const picture = readFileSync(join(root, `docs/images/workflows/${name}.svg`), 'utf8');
    expect(picture, 'run `npm run workflows`').toBe(await pictureOf(polyphony, planOf(name)));
    for (const part of [
      `../images/workflows/${name}.svg`,
      `workflow:${name}`,
      `polyphony/workflows/${name}`,
      request,
    ]) {
      expect(page).toContain(part);
    }
  });
});
