/**
 * Calls that are not urgent wait for a batch of their provider; where that cannot be, or does not answer, they go on as any other.
 *
 * A call without `urgency` passes on untouched. Whatever a batch fails with, the call is made at once instead, as after the failure
 * of a target; only what was cancelled stays so.
 */

import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Call, Handler, Middleware, ModelEvent } from '../../core/model/model.ts';
import { replay } from '../../core/model/response.ts';
import type { BatchQueue } from '../batches/batches.ts';
import type { KeptAnswer } from '../batches/kept.ts';

interface BatchParts {
  readonly config: () => Config;
  /** Read for each call: a later config may bring another one. */
  readonly batches: BatchQueue;
}

export function batch(parts: BatchParts): Middleware {
  return (call, next) => {
    if (call.urgency === 'batch') return batched(parts.batches, call, next);
    if (parts.config().batches !== undefined) parts.batches.begin();
    return next(call);
  };
}

async function* batched(batches: BatchQueue, call: Call, next: Handler): AsyncGenerator<ModelEvent> {
  const ending = await batches.enter(call);
  if ('error' in ending) throw ending.error;
  let why: string;
  if ('live' in ending) why = ending.live;
  else {
    const { error } = ending.answer;
    if (error === undefined) return yield* eventsOf(ending.answer);
    if (error.code === 'cancelled') throw new PolyphonyError(error.code, error.message);
    why = error.message.replace(/\.$/, '');
  }
  yield { type: 'warning', warning: { code: 'batch-live', message: `The call was made at once: ${why}.` } };
  const { urgency: _, ...urgent } = call;
  yield* next(urgent);
}

const eventsOf = ({ events, response }: KeptAnswer): Iterable<ModelEvent> | AsyncIterable<ModelEvent> =>
  response === undefined ? (events ?? []) : replay(response);
