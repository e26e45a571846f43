/** The prompts of a config: the files are read where it names a folder, and again when it is replaced. */
import type { Config } from '../../core/config.ts';
import type { PromptBook } from '../../core/plan/prompts.ts';

/** @throws invalid-config when the folder, or a file in it, cannot be used */
export async function promptsOf({ prompts }: Config): Promise<PromptBook | undefined> {
  if (prompts === undefined) return undefined;
  const { readPrompts } = await import('./prompt-files.ts');
  return readPrompts(prompts.folder);
}
