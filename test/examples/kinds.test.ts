/**
 * Sixteen kinds of workflow, each as a plan file alone: the file is what its TypeScript compiles to, to the hash. That each runs is
 * in plan-files.test.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHAT_CAPABILITIES } from 'polyphony/kit';
import { fakeCard, fakeProvider } from 'polyphony/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTools } from '../../plugins/tools/files-write.ts';
import { PLANS, partOf } from '../../scripts/examples/plan-examples.ts';
import { planText } from '../../scripts/examples/plan-text.ts';
import { createPolyphony, type Plan, type Polyphony } from '../../src/index.ts';
import { isWorkflow } from '../../src/workflow/index.ts';

const KINDS = [
  'agent-handoff',
  'agent-with-approval',
  'batch-classification',
  'book-translation',
  'chat-with-memory',
  'daily-digest',
  'deep-research',
  'evaluator-loop',
  'invoices-to-table',
  'lead-scoring',
  'map-reduce',
  'orchestrator-and-workers',
  'plan-and-execute',
  'reflection',
  'self-correcting-retrieval',
  'support-with-approval',
] as const;

let polyphony: Polyphony;
beforeAll(async () => {
  const capabilities = [...CHAT_CAPABILITIES, 'image-in', 'file-in'] as const;
  const tiers = ['fast', 'balanced', 'premium'] as const;
  const models = tiers.map((tier) => fakeCard({ id: tier, tier, capabilities }));
  polyphony = await createPolyphony({
    plugins: [writeTools({ folder: 'out' })],
    providers: [fakeProvider({ models, script: () => [] })],
  });
});
afterAll(() => polyphony.close());

const textOf = (name: string): string => readFileSync(join(PLANS, `${name}.plan.json`), 'utf8');

async function builtOf(name: string): Promise<Plan> {
  const { default: built } = await import(join(PLANS, `${name}.ts`));
  if (!isWorkflow(built)) throw new Error(`${name}.ts exports no workflow`);
  expect({ id: built.id, steps: built.steps }).toEqual({ id: name, steps: [] });
  return built.plan;
}

async function hashOf(plan: string | Plan): Promise<string | undefined> {
  const { plan: valid, issues, repaired } = await polyphony.validate(plan);
  expect({ issues, repaired }).toEqual({ issues: [], repaired: [] });
  return valid?.hash;
}

describe('the sixteen kinds of workflow', () => {
  it('are all that have TypeScript beside their plan', () => {
    const written = readdirSync(PLANS).flatMap((file) => (file.endsWith('.ts') ? [file.slice(0, -'.ts'.length)] : []));
    expect(written.sort()).toEqual([...KINDS]);
  });

  it.each(KINDS)('%s: the plan file is what the builder emits', async (name) => {
    const plan = await builtOf(name);
    const [file, built] = [await hashOf(textOf(name)), await hashOf(plan)];
    expect(file).toMatch(/^[\da-f]{16,}$/);
    expect(file, 'run `npm run workflows`').toBe(built);
    expect(textOf(name), 'run `npm run workflows`').toBe(planText(plan));
  });

  it.each(KINDS)('%s: says what its run has to give', (name) => {
    expect(JSON.stringify(partOf(name, 'output') ?? null).length).toBeGreaterThan(20);
  });
});

it.each(['docs/how-to/kinds-of-workflow.md', 'examples/README.md'])('%s names all of them', (page) => {
  const text = readFileSync(join(PLANS, '../..', page), 'utf8');
  expect(KINDS.filter((name) => !text.includes(name))).toEqual([]);
});
