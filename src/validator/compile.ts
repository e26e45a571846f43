/** The plan that engines run: in topological order, with what the validator found out. */
import { createHash } from 'node:crypto';
import { markValid, type Plan, type ValidNode, type ValidPlan } from '../core/plan.ts';
import type { StudyEstimate } from './estimate.ts';
import type { Study, Subject } from './study.ts';

/** The subjects of the study stand in the order of the run. */
export function compilePlan(study: Study, estimate: StudyEstimate): ValidPlan {
  const plan: Plan = { ...study.plan, nodes: study.subjects.map(({ node }) => node) };
  const { lowNanoUsd, expectedNanoUsd, highNanoUsd, expectedMs } = estimate;
  let hash: string | undefined;
  return markValid({
    plan,
    // Only runs need it, and it takes an eighth of a validation.
    get hash() {
      hash ??= hashOf(plan);
      return hash;
    },
    nodes: study.subjects.map((subject, index) => validNode(subject, index, study, estimate)),
    estimate: { lowNanoUsd, expectedNanoUsd, highNanoUsd, expectedMs },
    bounds: study.catalogue.bounds,
  });
}

function validNode(subject: Subject, index: number, study: Study, estimate: StudyEstimate): ValidNode {
  const data = new Set<string>();
  const dependencies = new Set<string>();
  for (const { head, place } of subject.uses) {
    if (head === subject.node.id || !study.byId.has(head)) continue;
    dependencies.add(head);
    if (place !== 'needs') data.add(head);
  }
  const estimated = estimate.nodes[index];
  return {
    node: subject.node,
    index,
    data: [...data],
    dependencies: [...dependencies],
    hasFallback: subject.hasFallback,
    estimate: estimated?.estimate ?? { lowNanoUsd: 0, expectedNanoUsd: 0, highNanoUsd: 0, expectedMs: 0 },
    priority: estimate.priorities[index] ?? 0,
  };
}

/** SHA-256 of the canonical JSON (RFC 8785: sorted keys, no spaces), hex. */
export const hashOf = (plan: Plan): string => createHash('sha256').update(canonicalJson(plan)).digest('hex');

/** JSON with the keys of every object in code-unit order; undefined fields left out. For plain JSON values. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += text === '' ? canonicalJson(item) : `,${canonicalJson(item)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const field: unknown = (value as Record<string, unknown>)[key];
    if (field !== undefined) text += `${text === '' ? '' : ','}${quotedKey(key)}:${canonicalJson(field)}`;
  }
  return `{${text}}`;
}

const quotedKeys = new Map<string, string>();

/** Most keys of a plan are the format's own, so they are quoted once. */
function quotedKey(key: string): string {
  const known = quotedKeys.get(key);
  if (known !== undefined) return known;
  const quoted = JSON.stringify(key);
  if (quotedKeys.size < 500 && key.length < 40) quotedKeys.set(key, quoted);
  return quoted;
}
