/** Random plans that are written bit by bit, with nodes that turn out otherwise when the plan is whole. */
import fc from 'fast-check';
import type { DraftNode, PlanNode, ValidPlan } from '../../src/core/plan/plan.ts';
import type { Planner } from '../../src/core/plan/planner.ts';
import type { NodeCall } from '../../src/core/run/engine.ts';
import type { RunJournal } from '../../src/core/stores.ts';
import { withCharge } from '../../src/runs/state/charge.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sleep } from '../../src/system/clock.ts';
import type { FakeRuntime } from '../../src/testing/fakes.ts';
import { output } from '../executor/harness.ts';
import { planned, scriptedPlanner } from '../executor/scripted-planner.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { type RandomPlan, randomPlans, type Shape } from './random-plans.ts';

export const COST = 7;
export const PLANNER_COST = 100;

export interface Part {
  readonly wait: number;
  readonly nodes: readonly DraftNode[];
}

export interface Drafted extends RandomPlan {
  /** As it is written; the plan itself is what comes of it. */
  readonly parts: readonly Part[];
  readonly lastWait: number;
  /** Of nodes that the whole plan defines as the draft did, and all that they depend on too. */
  readonly kept: ReadonlySet<string>;
  /** Of nodes that may start before the plan is whole. */
  readonly early: ReadonlySet<string>;
}

interface Draw {
  readonly wait: number;
  readonly mayStart: boolean;
  readonly changes: boolean;
}

const draw: fc.Arbitrary<Draw> = fc.record({
  wait: fc.integer({ min: 0, max: 12 }),
  mayStart: fc.integer({ min: 0, max: 4 }).map((roll) => roll > 0),
  changes: fc.integer({ min: 0, max: 5 }).map((roll) => roll === 0),
});

export function draftedPlans(shape: Shape): fc.Arbitrary<Drafted> {
  return fc
    .record({
      random: randomPlans(shape),
      draws: fc.array(draw, { minLength: 12, maxLength: 12 }),
      written: fc.integer({ min: 0, max: 13 }),
      lastWait: fc.integer({ min: 0, max: 30 }),
    })
    .map(({ random, draws, written, lastWait }) => {
      const nodes = [...random.plan.plan.nodes, { id: 'gone', use: 'step', in: { id: 'gone' } }].slice(0, written);
      const draft = validPlan({ nodes: nodes.map((node, index) => (draws[index]?.changes ? changed(node) : node)) });
      const parts = draft.nodes.map((valid, index): Part => {
        const { wait = 0, mayStart = true } = draws[index] ?? {};
        return { wait, nodes: [{ valid, mayStart }] };
      });
      return { ...random, parts, lastWait, kept: keptOf(draft, random.plan, draws), early: earlyOf(parts) };
    });
}

const changed = (node: PlanNode): PlanNode => ({ ...node, in: { ...node.in, draft: true } });

function keptOf(draft: ValidPlan, plan: ValidPlan, draws: readonly Draw[]): ReadonlySet<string> {
  const kept = new Set<string>();
  const whole = new Set(plan.nodes.map(({ node }) => node.id));
  for (const [index, { node, dependencies }] of draft.nodes.entries()) {
    const same = whole.has(node.id) && draws[index]?.changes !== true;
    if (same && dependencies.every((id) => kept.has(id))) kept.add(node.id);
  }
  return kept;
}

function earlyOf(parts: readonly Part[]): ReadonlySet<string> {
  const early = new Set<string>();
  for (const { valid, mayStart } of parts.flatMap(({ nodes }) => nodes)) {
    if (mayStart && valid.dependencies.every((id) => early.has(id))) early.add(valid.node.id);
  }
  return early;
}

/** Writes as the draft says; an error instead of the plan where there is one. */
export function plannerOf(drafted: Drafted, runtime: FakeRuntime, error?: Error): Planner {
  return scriptedPlanner({
    async plan(_request, { signal, onDraft, onAnswer } = {}) {
      for (const { wait, nodes } of drafted.parts) {
        await sleep(runtime.clock, wait, signal);
        onDraft?.(nodes, undefined);
      }
      await sleep(runtime.clock, drafted.lastWait, signal);
      onAnswer?.({ round: 1, costNanoUsd: PLANNER_COST });
      if (error !== undefined) throw error;
      return planned(drafted.plan, PLANNER_COST);
    },
  });
}

/** A store that takes a while to commit, so that much happens between a record and its commit. */
export function slowJournal(runtime: FakeRuntime): RunJournal {
  const { journal } = memoryStores({ clock: runtime.clock });
  return {
    ...journal,
    async append(runId, events) {
      await sleep(runtime.clock, 2);
      await journal.append(runId, events);
    },
  };
}

export interface Paid {
  readonly id: string;
  readonly key: string;
}

/** Steps that take their time and cost something, also when they fail. */
export function payingSteps(drafted: Drafted, runtime: FakeRuntime, paid: Paid[]) {
  return async (call: NodeCall): Promise<unknown> => {
    const { ms, fails } = drafted.behaviours.get(call.node.id) ?? { ms: 3, fails: false };
    await sleep(runtime.clock, ms + (call.item ?? 0), call.signal);
    paid.push({ id: call.node.id, key: call.idempotencyKey });
    if (fails) throw withCharge(new Error(`${call.node.id} fails`), { costNanoUsd: COST });
    const value = { ...call.inputs, ok: ms % 2 === 0, round: call.round ?? 0, item: call.item ?? null };
    return output({ value, costNanoUsd: COST, usage: { input: 2, output: 1 } });
  };
}
