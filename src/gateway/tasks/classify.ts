/**
 * The class of a request: by the rules of the tasks, then by their examples, and then what a model has said of the same text before.
 * Synchronous: asking a model is the matter of whoever makes the call.
 */
import type { Config, TaskConfig } from '../../core/config.ts';
import type { AskedText } from './asked-text.ts';
import { taskByExamples } from './examples.ts';
import { taskByRule } from './task-rules.ts';

const CERTAINTY = 0.6;

export interface Classified {
  /** null: of no class. */
  readonly task: string | null;
  /** `nothing`: neither rule nor example told it. */
  readonly by: 'request' | 'rule' | 'examples' | 'model' | 'nothing';
  /** Of the comparison with examples, 0 to 1; also where it was not enough. */
  readonly certainty?: number;
}

export function classify(tasks: Readonly<Record<string, TaskConfig>>, config: Config, asked: AskedText): Classified {
  const ruled = taskByRule(tasks, asked);
  if (ruled !== undefined) return { task: ruled, by: 'rule' };
  const nearest = taskByExamples(tasks, asked.words);
  if (nearest === undefined) return { task: null, by: 'nothing' };
  const { task, certainty } = nearest;
  const isSure = certainty >= (config.classify?.certainty ?? CERTAINTY);
  return isSure ? { task, by: 'examples', certainty } : { task: null, by: 'nothing', certainty };
}
