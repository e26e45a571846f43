/** Drives the runs of schedules and triggers through a polyphony. */
import { resolve } from 'node:path';
import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { ValidPlan } from '../../core/plan/plan.ts';
import type { RunHandle, RunStatus } from '../../core/run/engine.ts';
import type { Polyphony } from '../../polyphony.ts';
import { nextMomentOf } from '../../runs/records/waiting.ts';
import type { Ending, RunStarter, Start } from '../../schedules/starts.ts';
import { givenPlanOf, planFileText, planTextIn } from '../input/run-target.ts';
import { cancelOnRequest } from './cancel-request.ts';

/** The text of what a schedule or a trigger runs. @throws UsageError when there is no such plan */
export const scheduledPlanText = async (run: string, folder: string, polyphony: Polyphony): Promise<string> =>
  run.startsWith('workflow:') ? planTextIn(await givenPlanOf(run), polyphony) : planFileText(resolve(folder, run));

/** @param folder that of the config, from which plan files are named */
export function runStarter(polyphony: Polyphony, folder: string): RunStarter {
  const status = (runId: string): Promise<RunStatus | undefined> => statusOf(polyphony, runId);
  return {
    status,
    moment: (runId) => momentIn(polyphony, runId),
    async start({ runId, by, run, input, budgetUsd }, signal, onBegun) {
      if ((await status(runId)) !== undefined) return { status: 'elsewhere' };
      // Read for each run, so that a plan that is edited counts from its next run on.
      const plan = await planOf(polyphony, run, await scheduledPlanText(run, folder, polyphony));
      const [name, value] = tagOf(by);
      const handle = await polyphony.start(plan, input, {
        runId,
        signal,
        tags: { [name]: value },
        ...defined({ budgetUsd }),
      });
      return followed(polyphony, handle, onBegun, 'run-started');
    },
    async resume(runId, signal, onBegun) {
      try {
        return await followed(polyphony, await polyphony.resume(runId, { signal }), onBegun, 'run-resumed');
      } catch (error) {
        if (error instanceof PolyphonyError && error.code === 'store-busy') return { status: 'elsewhere' };
        throw error;
      }
    },
  };
}

/** Of a suspended run. Undefined: only a person or an event goes on with it, it is gone, or its journal cannot be read. */
export async function momentIn({ engine }: Polyphony, runId: string): Promise<number | undefined> {
  try {
    const { status, waiting = [] } = await engine.inspect(runId);
    return status === 'suspended' ? nextMomentOf(waiting) : undefined;
  } catch (error) {
    // One run that cannot be read must not keep the others waiting.
    if (error instanceof PolyphonyError && UNREADABLE.has(error.code)) return undefined;
    throw error;
  }
}

const UNREADABLE: ReadonlySet<string> = new Set(['not-found', 'store-corrupt']);

/** `schedules.digest` is the tag `schedule=digest`, which a budget may cap. */
function tagOf(by: Start['by']): readonly [string, string] {
  const dot = by.indexOf('.');
  return [by.slice(0, dot).replace(/s$/, ''), by.slice(dot + 1)];
}

async function planOf(polyphony: Polyphony, run: string, text: string): Promise<ValidPlan> {
  const { plan, issues } = await polyphony.validate(text);
  if (plan !== undefined) return plan;
  const first = issues.find(({ severity }) => severity === 'error');
  const remedy = 'correct it, see polyphony validate';
  throw new PolyphonyError(
    'invalid-plan',
    `The plan ${run} cannot run: ${first?.message ?? 'it is invalid'} (${remedy}).`,
  );
}

async function followed(
  polyphony: Polyphony,
  handle: RunHandle,
  onBegun: () => void,
  first: 'run-started' | 'run-resumed',
): Promise<Ending> {
  const release = cancelOnRequest(polyphony.stores.keyValue, handle);
  // A run that is refused, because another process has it, has no event. One that another process has just ended has those of
  // its past, from its start on.
  let begun: boolean | undefined;
  const noting = (async () => {
    for await (const { type } of handle.events()) {
      if (begun === undefined && type === first) onBegun();
      begun ??= type === first;
    }
  })();
  const [{ status, costNanoUsd, ms, error }] = await Promise.all([handle.result(), noting]).finally(release);
  const isElsewhere =
    begun !== true && (error?.code === 'store-busy' || (await statusOf(polyphony, handle.runId)) !== undefined);
  return isElsewhere ? { status: 'elsewhere' } : { status, costNanoUsd, ms, ...defined({ error }) };
}

async function statusOf({ engine }: Polyphony, runId: string): Promise<RunStatus | undefined> {
  try {
    return (await engine.inspect(runId)).status;
  } catch (error) {
    if (error instanceof PolyphonyError && error.code === 'not-found') return undefined;
    throw error;
  }
}
