/** Judges a published plan, after repair, by the links that its model listed beside it. */
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Catalogue, PlanRepair } from '../../src/core/plan/validation.ts';
import { parseTemplate } from '../../src/language/template.ts';
import { validate } from '../../src/validator/validate.ts';
import type { PublishedPlan } from './published-plans.ts';

export interface Judged {
  readonly published: PublishedPlan;
  /** Without any repair it was valid. */
  readonly isValidAsWritten: boolean;
  /** The plan that runs; undefined: it is not valid after repair either. */
  readonly plan: Plan | undefined;
  readonly repaired: readonly PlanRepair[];
  /** Codes of the errors that are left. */
  readonly errors: readonly string[];
  /** It runs, and its data flow is that of the links, no more and no less. */
  readonly isAsLinked: boolean;
  /** Data that flows in the plan that runs, and that neither a reference as written nor a link says. */
  readonly unwritten: readonly string[];
}

export function judged(published: PublishedPlan, catalogue: Catalogue): Judged {
  const isValidAsWritten = validate(published.plan, catalogue, { repair: false }).plan !== undefined;
  const { plan: valid, issues, repaired } = validate(published.plan, catalogue);
  const plan = valid?.plan;
  const links = linksOf(published.links);
  const edges = plan === undefined ? new Set<string>() : edgesOf(plan);
  const written = edgesOf(published.plan);
  return {
    published,
    isValidAsWritten,
    plan,
    repaired,
    errors: [...new Set(issues.filter(({ severity }) => severity === 'error').map(({ code }) => code))],
    isAsLinked: plan !== undefined && edges.size === links.size && [...edges].every((edge) => links.has(edge)),
    unwritten: [...edges].filter((edge) => !written.has(edge) && !links.has(edge)),
  };
}

/** `source>target` for each pair of tools between which data flows. */
function edgesOf({ nodes }: Plan): Set<string> {
  const uses = new Map(nodes.map(({ id, use }) => [id, nameOf(use)] as const));
  const edges = new Set<string>();
  for (const { use, in: input } of nodes) {
    for (const text of textsIn(input)) {
      for (const head of headsIn(text)) {
        const source = uses.get(head);
        if (source !== undefined) edges.add(`${source}>${nameOf(use)}`);
      }
    }
  }
  return edges;
}

function linksOf(links: unknown): Set<string> {
  const edges = new Set<string>();
  for (const link of Array.isArray(links) ? links : []) {
    const { source, target } = Object(link);
    if (typeof source === 'string' && typeof target === 'string') edges.add(`${nameOf(source)}>${nameOf(target)}`);
  }
  return edges;
}

const nameOf = (use: string): string =>
  use
    .replace(/^tool:/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '');

function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) yield* textsIn(inner);
}

function* headsIn(text: string): Generator<string> {
  for (const segment of parseTemplate(text).segments) {
    if (segment.type !== 'reference') continue;
    for (const alternative of segment.reference.alternatives) if (alternative.type === 'path') yield alternative.head;
  }
}
