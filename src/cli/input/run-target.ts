/** The target of a run: a plan in a file, a ready-made workflow, or a request in words. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { UsageError } from './exit-code.ts';
import { packageFile } from './package-file.ts';
import { readable } from './read-file.ts';

export type RunTarget =
  | { readonly type: 'plan'; readonly source: string; readonly text: string }
  | { readonly type: 'request'; readonly text: string };

const LARGEST_PLAN_FILE = 8 * 1024 * 1024;

/** A single word with the ending of a plan file is a plan file, not a request. */
const looksLikeFile = (text: string): boolean => /\.(json|ya?ml)$/i.test(text) && !/\s/.test(text.trim());

export async function runTargetOf(argument: string): Promise<RunTarget> {
  if (argument.trim() === '') throw new UsageError('The request is empty: write what to do, or name a plan file');
  if (argument.startsWith('workflow:')) return workflowNamed(argument.slice('workflow:'.length));
  if (!looksLikeFile(argument)) return { type: 'request', text: argument };
  return { type: 'plan', source: argument, text: await planFileText(argument) };
}

/** @throws UsageError naming the file and the reason */
export const planFileText = (path: string): Promise<string> => readable(path, LARGEST_PLAN_FILE, 'a plan file');

/** The text of a plan file or a ready-made workflow. @throws UsageError for a request */
export async function planTextOf(argument: string): Promise<string> {
  const what = await runTargetOf(argument);
  if (what.type === 'plan') return what.text;
  throw new UsageError(`"${argument}" is not a plan file: name a .json file or workflow:<id>`);
}

async function readyMadeWorkflows(folder: URL): Promise<readonly string[]> {
  const files = await readdir(folder);
  return files.flatMap((file) => (file.endsWith('.plan.json') ? [file.slice(0, -'.plan.json'.length)] : [])).sort();
}

async function workflowNamed(id: string): Promise<RunTarget> {
  const folder = packageFile('workflows/');
  const known = await readyMadeWorkflows(folder);
  if (!known.includes(id)) {
    throw new UsageError(`There is no ready-made workflow "${id}": choose one of ${known.join(', ')}`);
  }
  const path = fileURLToPath(new URL(`${id}.plan.json`, folder));
  return { type: 'plan', source: `workflow:${id}`, text: await readable(path, LARGEST_PLAN_FILE, 'a plan file') };
}
