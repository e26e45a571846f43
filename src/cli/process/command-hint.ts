/** The command in hints about a run. */
import { DEFAULT_STORE } from '../command.ts';
import { quoted, thisCommand } from '../input/command-name.ts';
import type { SharedOptions } from '../input/shared-options.ts';

/** The name of the command with the config and the store that the command was given: a hint without them would look for its run elsewhere. */
export function thisCommandWith({ config, store }: Partial<Pick<SharedOptions, 'config' | 'store'>>): string {
  const givenConfig = config === undefined ? '' : ` --config ${quoted(config)}`;
  const givenStore = store === undefined || store === DEFAULT_STORE ? '' : ` --store ${quoted(store)}`;
  return `${thisCommand()}${givenConfig}${givenStore}`;
}
