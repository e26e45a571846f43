/** All requests of the evaluation. */
import type { Task } from '../task.ts';
import { approvals } from './approvals.ts';
import { chains } from './chains.ts';
import { conditions } from './conditions.ts';
import { crowded } from './crowded.ts';
import { joins } from './joins.ts';
import { loops } from './loops.ts';
import { prose } from './prose.ts';

export const TASKS: readonly Task[] = [
  ...chains,
  ...joins,
  ...loops,
  ...conditions,
  ...approvals,
  ...prose,
  ...crowded,
];
