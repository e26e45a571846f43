/** What every command works with: the options that all share, and a polyphony over the store on disk. */
import { resolve } from 'node:path';
import { createLogger, silentLogger } from '../kit/logger.ts';
import { createPolyphony, defaultPlugins, type Polyphony } from '../polyphony.ts';
import { sqliteStores } from '../stores/sqlite.ts';
import { type LoadedConfig, loadConfig, loadPlugins } from './config-file.ts';
import type { SharedOptions } from './shared-options.ts';
import type { Terminal } from './terminal.ts';

export interface Session {
  readonly polyphony: Polyphony;
  readonly loaded: LoadedConfig;
}

/** Opens everything, hands it to the command, and closes it again whatever happens. */
export async function withPolyphony<T>(
  options: SharedOptions,
  terminal: Terminal,
  command: (session: Session) => Promise<T>,
): Promise<T> {
  const loaded = await loadConfig(process.cwd(), options.config);
  const [defaults, named] = await Promise.all([defaultPlugins(loaded.config), loadPlugins(loaded)]);
  const logger =
    options.log === 'silent' ? silentLogger : await createLogger(options.log, (line) => terminal.say(line.trimEnd()));
  const polyphony = await createPolyphony({
    plugins: [...defaults, ...named],
    config: loaded.config,
    stores: sqliteStores({ path: resolve(options.store) }),
    logger,
  });
  try {
    return await command({ polyphony, loaded });
  } finally {
    await polyphony.close();
  }
}
