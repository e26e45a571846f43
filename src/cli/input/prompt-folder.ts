/** The folder of prompts that a command works on. */
import type { SharedOptions } from './shared-options.ts';

/** That of the option, else that of the config, else `prompts` in the working folder. */
export async function promptFolder({ config, folder }: SharedOptions & { readonly folder?: string }): Promise<string> {
  if (folder !== undefined) return folder;
  const { loadConfig } = await import('./config-file.ts');
  return (await loadConfig(process.cwd(), config)).config.prompts?.folder ?? 'prompts';
}
