/** A name for a plan that has no id of its own, such as one that another plan holds: the same wherever the plan is the same. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../core/json/canonical-json.ts';
import type { Plan } from '../../../core/plan/plan.ts';

/** @param text the canonical JSON of the plan */
export const digestOf = (text: string): string => `#${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;

export const planDigest = (plan: Plan): string => digestOf(canonicalJson(plan));
