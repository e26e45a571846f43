/** What the user asked to run: a plan in a file, a ready-made workflow, or a request in words. */
import { readdir } from 'node:fs/promises';
import type { Polyphony } from '../polyphony.ts';
import { UsageError } from './exit-code.ts';
import { readable } from './read-file.ts';

export type What =
  | { readonly type: 'plan'; readonly source: string; readonly text: string }
  | { readonly type: 'request'; readonly text: string };

const LARGEST_PLAN_FILE = 8 * 1024 * 1024;

/** A single word with a slash or a dot at its end part is meant as a file, not as a request. */
const looksLikeFile = (text: string): boolean => /\.(json|ya?ml)$/i.test(text) && !/\s/.test(text.trim());

export async function whatOf(argument: string): Promise<What> {
  if (argument.trim() === '') throw new UsageError('The request is empty: say what is to be done, or name a plan file');
  if (argument.startsWith('workflow:')) return workflowNamed(argument.slice('workflow:'.length));
  if (!looksLikeFile(argument)) return { type: 'request', text: argument };
  return { type: 'plan', source: argument, text: await readable(argument, LARGEST_PLAN_FILE, 'a plan file') };
}

/** The folder of the ready-made workflows, beside the sources or the build. */
const WORKFLOWS = new URL(
  import.meta.url.includes('/dist/') ? '../../../workflows/' : '../../workflows/',
  import.meta.url,
);

export async function readyMadeWorkflows(): Promise<readonly string[]> {
  const files = await readdir(WORKFLOWS);
  return files.flatMap((file) => (file.endsWith('.plan.json') ? [file.slice(0, -'.plan.json'.length)] : [])).sort();
}

async function workflowNamed(id: string): Promise<What> {
  const known = await readyMadeWorkflows();
  if (!known.includes(id)) {
    throw new UsageError(`There is no ready-made workflow "${id}"; there are ${known.join(', ')}`);
  }
  const file = new URL(`${id}.plan.json`, WORKFLOWS);
  return {
    type: 'plan',
    source: `workflow:${id}`,
    text: await readable(file.pathname, LARGEST_PLAN_FILE, 'a plan file'),
  };
}

/** Validates a plan's text. Issues are for the caller to show. */
export function validated(polyphony: Polyphony, text: string, repair = true): ReturnType<Polyphony['validate']> {
  return polyphony.validate(text, { repair });
}
