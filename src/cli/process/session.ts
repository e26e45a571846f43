/** Opens a polyphony over the store on disk, with the options that all commands share. */

import { defined } from '../../core/defined.ts';
import { scrubText } from '../../core/scrub.ts';
import type { Stores } from '../../core/stores.ts';
import { printable } from '../../drawing/plain-text.ts';
import { createPolyphony, type Polyphony } from '../../polyphony.ts';
import { isOnlyReadable } from '../../stores/sqlite/read-only.ts';
import { sqliteStores } from '../../stores/sqlite.ts';
import { createLogger, silentLogger } from '../../system/logger.ts';
import { type LoadedConfig, loadConfig, loadPlugins } from '../input/config-file.ts';
import { UsageError } from '../input/exit-code.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import { configWorkflows, readyMadeWorkflows } from '../input/workflow-files.ts';
import { broughtServers, serverText } from '../screen/brought-tools.ts';
import type { Terminal } from '../screen/terminal.ts';

export interface Session {
  readonly polyphony: Polyphony;
  readonly loaded: LoadedConfig;
  /** Who brings each registered workflow, by its id: `config`, `plugin <name>` or `package`. */
  readonly broughtBy: ReadonlyMap<string, string>;
}

/** Opens a session, over the file of the options unless it is given stores, passes it to the command, and always closes it afterwards. */
export async function withPolyphony<T>(
  options: SharedOptions,
  terminal: Terminal,
  command: (session: Session) => Promise<T>,
  stores?: Stores,
): Promise<T> {
  assertStoreNamed(options);
  const loaded = await loadConfig(process.cwd(), options.config);
  const named = await loadPlugins(loaded);
  const own = await configWorkflows(loaded);
  const broughtBy = new Map<string, string>(own.map(({ id }) => [id, 'config']));
  for (const { name, workflows = [] } of named) {
    for (const { id } of workflows) if (id !== undefined) broughtBy.set(id, `plugin ${name}`);
  }
  const readyMade = await readyMadeWorkflows(new Set(broughtBy.keys()));
  for (const { id } of readyMade) broughtBy.set(id, 'package');
  const logger =
    options.log === 'silent'
      ? silentLogger
      : await createLogger(options.log, (line) => terminal.say(printable(line.trimEnd())));
  const polyphony = await createPolyphony({
    plugins: named,
    defaults: true,
    environment: true,
    ...defined({ config: loaded.path === undefined ? undefined : loaded.config }),
    workflows: [...own, ...readyMade],
    stores: stores ?? sqliteStores({ path: options.store }),
    logger,
  });
  warnOfServers(loaded, polyphony, terminal);
  const stopFollowing = await followed(loaded, polyphony, terminal);
  try {
    return await command({ polyphony, loaded, broughtBy });
  } finally {
    stopFollowing();
    await closed(polyphony, terminal);
  }
}

/** The same for a command that only reads: what this process may not write is read as it is, and that is said. */
export async function withStoreToRead<T>(
  options: SharedOptions,
  terminal: Terminal,
  command: (session: Session) => Promise<T>,
): Promise<T> {
  assertStoreNamed(options);
  const { store } = options;
  if (await isOnlyReadable(store)) terminal.say(`note: ${printable(store)} ${ONLY_READ}`);
  return withPolyphony(options, terminal, command, sqliteStores({ path: store, mayOnlyRead: true }));
}

const ONLY_READ =
  'may not be written by this process, so it is only read: calls that a killed process left unbooked are not among its costs';

function assertStoreNamed({ store }: SharedOptions): void {
  if (store.trim() === '') throw new UsageError('--store is empty: name the file that keeps runs and costs');
}

/** A server that could not be started is logged only, and then all that is seen is that its steps do not exist. */
function warnOfServers({ config }: LoadedConfig, polyphony: Polyphony, terminal: Terminal): void {
  if (config.mcp === undefined) return;
  for (const server of broughtServers(config, polyphony.catalogue().steps.keys()))
    if (server.tools.length === 0)
      terminal.say(`${terminal.paint.yellow('warning')}: the MCP server ${serverText(server)}`);
}

async function followed({ path, config }: LoadedConfig, polyphony: Polyphony, terminal: Terminal): Promise<() => void> {
  if (path === undefined) return () => undefined;
  const { followConfig } = await import('../../composition/config/follow-config.ts');
  let { schedules, triggers } = config;
  return followConfig({
    path,
    config,
    polyphony,
    refused: (error) => warnOf(error, terminal, 'the changed config is not used'),
    used(next) {
      const isSame = JSON.stringify([schedules, triggers]) === JSON.stringify([next.schedules, next.triggers]);
      ({ schedules, triggers } = next);
      const but = isSame ? '' : ', except for its schedules and triggers: start `polyphony schedule` anew for those';
      terminal.say(`the changed config is used from now on${but}`);
    },
  });
}

/** An error while closing is only a warning, because it must not hide the result of the command. */
async function closed(polyphony: Polyphony, terminal: Terminal): Promise<void> {
  try {
    await polyphony.close();
  } catch (error) {
    warnOf(error, terminal, 'closing failed, so the last writes may be lost');
  }
}

function warnOf(error: unknown, terminal: Terminal, what: string): void {
  const message = error instanceof Error ? error.message : String(error);
  terminal.say(`${terminal.paint.yellow('warning')}: ${what}: ${printable(scrubText(message))}`);
}
