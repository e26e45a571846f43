/** The target of a run: a plan in a file, a registered workflow, or a request in words. */
import type { Plan } from '../../core/plan/plan.ts';
import { oneLine } from '../../drawing/plain-text.ts';
import { nearest } from '../../language/suggest.ts';
import { thisCommand } from './command-name.ts';
import { UsageError } from './exit-code.ts';
import { readable } from './read-file.ts';

export type RunTarget = GivenPlan | { readonly type: 'request'; readonly text: string };

/** A workflow is found once the config and the plugins are loaded: {@link planTextIn}. */
export type GivenPlan =
  | { readonly type: 'plan'; readonly source: string; readonly text: string }
  | { readonly type: 'workflow'; readonly source: string; readonly id: string };

/** What the command registered: of the config, of plugins and ready-made ones. */
interface Registered {
  catalogue(): { readonly workflows: ReadonlyMap<string, Plan> };
}

const PREFIX = 'workflow:';
const MOST_NAMED = 12;
const LARGEST_PLAN_FILE = 8 * 1024 * 1024;

/** A single word with the ending of a plan file is a plan file, not a request. */
const looksLikeFile = (text: string): boolean => /\.(json|ya?ml)$/i.test(text) && !/\s/.test(text.trim());

export async function runTargetOf(argument: string): Promise<RunTarget> {
  if (argument.trim() === '') throw new UsageError('The request is empty: write what to do, or name a plan file');
  if (argument.startsWith(PREFIX)) return { type: 'workflow', source: argument, id: argument.slice(PREFIX.length) };
  if (!looksLikeFile(argument)) return { type: 'request', text: argument };
  return { type: 'plan', source: argument, text: await planFileText(argument) };
}

/** @throws UsageError naming the file and the reason */
export const planFileText = (path: string): Promise<string> => readable(path, LARGEST_PLAN_FILE, 'a plan file');

/** A plan file, which is read, or the name of a workflow. @throws UsageError for a request */
export async function givenPlanOf(argument: string): Promise<GivenPlan> {
  const what = await runTargetOf(argument);
  if (what.type !== 'request') return what;
  throw new UsageError(`"${argument}" is not a plan file: name a .json file or workflow:<id>`);
}

/** The text of the plan. @throws UsageError for a workflow that is not registered, with the nearest names */
export function planTextIn(given: GivenPlan, registered: Registered): string {
  return given.type === 'plan' ? given.text : JSON.stringify(workflowNamed(given.id, registered));
}

/** @throws UsageError with the nearest names */
export function workflowNamed(id: string, registered: Registered): Plan {
  const { workflows } = registered.catalogue();
  const plan = workflows.get(id);
  if (plan !== undefined) return plan;
  const near = nearest(id, workflows.keys()).map((name) => `"${name}"`);
  const some = [...workflows.keys()].sort().slice(0, MOST_NAMED);
  const meant = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `choose one of ${some.join(', ')}.`;
  const more = `"${thisCommand()} workflows" lists those of the config, of plugins and of the package`;
  throw new UsageError(`There is no workflow "${oneLine(id)}": ${meant} ${more}`);
}
