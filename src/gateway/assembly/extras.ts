/**
 * The parts of a gateway that only some configs need, and what stands in for them. They are loaded together, before a config that needs
 * one of them is used; what stands in for them does what they would do without such a config.
 */
import type { Runtime } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import type { Batches } from '../../core/gateway.ts';
import type { Handler } from '../../core/model/model.ts';
import type { BatchQueue, BatchQueueOptions } from '../batches/batches.ts';
import type { Candidates, createCandidates } from '../candidates/candidates.ts';
import { unknownCandidate } from '../candidates/unknown-candidate.ts';
import type { Extras } from './extra-parts.ts';

export const needsExtras = ({ batches, candidates, connect, health, warm, webhooks }: Config): boolean =>
  [batches, candidates, connect, health?.sweep, warm, webhooks].some((field) => field !== undefined);

interface ExtrasOf {
  /** Undefined until they are loaded. */
  loaded(): Extras | undefined;
  load(): Promise<Extras>;
  candidates(): Candidates;
  batches(): BatchQueue;
  /** Undefined until they are loaded. */
  api(handle: Handler, runtime: Runtime): Batches | undefined;
}

interface ExtrasOptions {
  readonly candidates: Parameters<typeof createCandidates>[0];
  readonly batches: BatchQueueOptions;
}

/** @param options is called once, when they are loaded */
export function extrasOf(given: Extras | undefined, options: () => ExtrasOptions): ExtrasOf {
  let extras = given;
  let made: { readonly candidates: Candidates; readonly batches: BatchQueue } | undefined;
  let api: Batches | undefined;
  const real = (): typeof made => {
    if (extras === undefined || made !== undefined) return made;
    const { candidates, batches } = options();
    made = { candidates: extras.createCandidates(candidates), batches: extras.createBatchQueue(batches) };
    return made;
  };
  const load = async (): Promise<Extras> => {
    extras ??= (await import('./all-extras.ts')).ALL_EXTRAS;
    return extras;
  };
  const queue = async (): Promise<BatchQueue> => {
    await load();
    return real()?.batches ?? standIn;
  };
  const standIn = noBatches(queue);
  return {
    loaded: () => extras,
    load,
    candidates: () => real()?.candidates ?? NO_CANDIDATES,
    batches: () => real()?.batches ?? standIn,
    api(handle, runtime) {
      const batches = real()?.batches;
      if (batches !== undefined) api ??= extras?.batchesApi(batches, handle, runtime);
      return api;
    },
  };
}

const NO_CANDIDATES: Candidates = {
  trialOf: () => undefined,
  watched: (router) => router,
  explainedOf: () => undefined,
  notes: () => [],
  besideOf: () => undefined,
  score: () => {},
  reports: () => [],
  decide(name) {
    throw unknownCandidate(name, []);
  },
  recall: async () => {},
  close: () => Promise.resolve(),
};

/** A call may have been part of a batch while an earlier config had some, so its answer is looked for all the same. */
const noBatches = (queue: () => Promise<BatchQueue>): BatchQueue => ({
  begin: () => {},
  enter: async (call) => (await queue()).enter(call),
  placeOf: () => ({ live: 'the config has no "batches"' }),
  detach: () => {},
  ended: () => {},
  list: async (limit) => (await queue()).list(limit),
  waiting: async () => (await queue()).waiting(),
  answered: async (limit) => (await queue()).answered(limit),
  cancel: async (id) => (await queue()).cancel(id),
  answerOf: async (id) => (await queue()).answerOf(id),
  keep: async (id, answer) => (await queue()).keep(id, answer),
  isClosed: false,
  close: () => Promise.resolve(),
});
