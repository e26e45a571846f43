/** The plans that the command registers: those that its config names, and the ready-made ones. */
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type PlanParts, workflowOfPlan } from '../../composition/workflows.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { LoadedConfig } from './config-file.ts';
import { packageFile } from './package-file.ts';
import { readable } from './read-file.ts';

const LARGEST_PLAN_FILE = 8 * 1024 * 1024;
const ENDING = '.plan.json';

/** @throws UsageError for a file that cannot be read, invalid-config for one that is no plan with an id */
export async function configWorkflows({ path, config }: LoadedConfig): Promise<readonly PlanParts[]> {
  const made: PlanParts[] = [];
  for (const name of config.workflows ?? []) {
    const text = await readable(resolve(path ?? '.', '..', name), LARGEST_PLAN_FILE, 'a plan file');
    made.push(workflowOfPlan(planIn(name, text), `The file ${name} of the config`));
  }
  return made;
}

function planIn(name: string, text: string): Plan {
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PolyphonyError(
      'invalid-config',
      `The workflow ${name} of the config is not JSON (${reason}): correct it.`,
    );
  }
  if (typeof plan === 'object' && plan !== null && 'nodes' in plan) return plan as Plan;
  throw new PolyphonyError('invalid-config', `The workflow ${name} of the config is no plan: name a plan file.`);
}

/** Names of the workflows that the package brings. */
export async function readyMadeNames(): Promise<readonly string[]> {
  const files = await readdir(packageFile('workflows/'));
  return files.flatMap((file) => (file.endsWith(ENDING) ? [file.slice(0, -ENDING.length)] : [])).sort();
}

/** Plans may use them; the planner is not told of them, because they would make each of its requests longer. */
export async function readyMadeWorkflows(taken: ReadonlySet<string>): Promise<readonly PlanParts[]> {
  const names = (await readyMadeNames()).filter((name) => !taken.has(name));
  const texts = await Promise.all(names.map((name) => readFile(packageFile(`workflows/${name}${ENDING}`), 'utf8')));
  return texts.map((text) => workflowOfPlan(JSON.parse(text) as Plan, 'The package', false));
}
