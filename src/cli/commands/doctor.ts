/** polyphony doctor: checks what a run needs, one line per check, with the remedy for each check that fails. */
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import { printable, safeJson } from '../../drawing/plain-text.ts';
import { unsupportedNode } from '../../system/node-version.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT } from '../input/exit-code.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import type { Session } from '../process/session.ts';
import type { Terminal } from '../screen/terminal.ts';

export const command = defineCommand<{ readonly repair?: boolean }>({
  define: (doctor) =>
    doctor
      .option('--repair', 'save what can be read of a damaged store into a new file, and keep the damaged one')
      .addHelpText(
        'after',
        examples('polyphony doctor', 'polyphony doctor --json', 'polyphony doctor --repair --store old/polyphony.db'),
      ),
  handle: async (terminal, options) => {
    if (options.repair === true) {
      const { repairStore } = await import('../process/repair-store.ts');
      return repairStore(options, terminal);
    }
    const checks = await checksOf(options, terminal);
    if (options.json) terminal.print(safeJson(checks, 2));
    else {
      const { green, red } = terminal.paint;
      for (const { name, ok, detail } of checks) {
        terminal.print(`${ok ? green('✓') : red('✗')} ${name.padEnd(10)} ${printable(detail)}`);
      }
    }
    return checks.every((check) => check.ok) ? EXIT.done : EXIT.failed;
  },
});

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

const SMALLEST_SPACE = 50 * 1024 * 1024;

function checkNode(): Check {
  const refusal = unsupportedNode(process.version);
  return { name: 'node', ok: refusal === undefined, detail: refusal ?? process.version };
}

async function checkSpace(store: string): Promise<Check> {
  const folder = dirname(resolve(store));
  const { makeStoreFolder } = await import('../../system/make-folder.ts');
  try {
    await makeStoreFolder(folder);
  } catch (error) {
    const detail = `${folder} cannot be made (${asPolyphonyError(error).message}): choose another place with --store`;
    return { name: 'disk', ok: false, detail };
  }
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const megabytes = `${Math.round(free / 1024 / 1024)} MB free in ${folder}`;
  return {
    name: 'disk',
    ok: free >= SMALLEST_SPACE,
    detail: free >= SMALLEST_SPACE ? megabytes : `${megabytes}: free some space, or move the store with --store`,
  };
}

async function checkStore(store: string): Promise<Check> {
  const { checkSqliteStore, sqliteStores } = await import('../../stores/sqlite.ts');
  await checkSqliteStore({ path: store });
  const stores = sqliteStores({ path: store });
  try {
    await stores.keyValue.set('doctor', 1);
    await stores.keyValue.delete('doctor');
  } finally {
    await stores.close();
  }
  return { name: 'store', ok: true, detail: resolve(store) };
}

async function checkProviders({ polyphony }: Session): Promise<Check> {
  const { counted } = await import('../screen/counted.ts');
  const providers = [...new Set(polyphony.gateway.models().map(({ provider }) => provider))];
  if (providers.length === 0) {
    const detail = 'no provider lists a model: start the server that has them, or name models in POLYPHONY_MODELS';
    return { name: 'providers', ok: false, detail };
  }
  const detail = `${providers.join(', ')} (${counted(polyphony.gateway.models().length, 'model')})`;
  const only = providers.length === 1 && providers[0] === 'embedded';
  const more = only
    ? ': set the API key of a provider in the environment to use real models'
    : providers.includes('embedded')
      ? '; the embedded engine answers only where it is named'
      : '';
  return { name: 'providers', ok: true, detail: `${detail}${more}` };
}

/** Nothing where all names are known. */
async function checkNames({ polyphony, loaded }: Session): Promise<readonly Check[]> {
  const { unknownNames } = await import('../process/unknown-names.ts');
  const names = unknownNames(loaded.config, polyphony.catalogue());
  if (names.length === 0) return [];
  return [{ name: 'names', ok: true, detail: `no provider here has ${names.join(', ')}: they do nothing here` }];
}

const QUESTION =
  'Summarise the following text in one sentence.\n\nThe doctor checks that a call comes back. It costs next to nothing.';

/** One small call end to end, of a cent at most; without that cap where no model has a price, as on servers of one's own. */
async function checkCall({ polyphony: { gateway } }: Session): Promise<Check> {
  const small = { messages: [{ role: 'user', content: QUESTION }], maxOutputTokens: 60 } as const;
  const capped = { ...small, limits: { usd: 0.01, ms: 30_000 } };
  const uncapped = { ...small, limits: { ms: 30_000 } };
  const first = (request: typeof capped | typeof uncapped) =>
    gateway.explain({ operation: 'chat', ...request }).candidates[0];
  const isUnpriced = first(capped) === undefined && first(uncapped)?.card.price === null;
  const { target } = await gateway.generate(isUnpriced ? uncapped : capped);
  const remedy = isUnpriced
    ? '; its price is unknown, so under a budget it is refused: set one in `prices` of the config'
    : '';
  return { name: 'call', ok: true, detail: `${target.provider}/${target.model} answered${remedy}` };
}

/** One for each MCP server of the config. */
async function checkServers({ polyphony, loaded }: Session): Promise<readonly Check[]> {
  const { broughtServers, serverText } = await import('../screen/brought-tools.ts');
  const servers = broughtServers(loaded.config, polyphony.catalogue().steps.keys());
  return servers.map((server) => ({ name: 'mcp', ok: server.tools.length > 0, detail: serverText(server) }));
}

async function checkPlugins({ loaded: { config } }: Session): Promise<Check> {
  const { broughtTools } = await import('../screen/brought-tools.ts');
  const { plugins = [], mcp } = config;
  const tools = broughtTools(config);
  const isMore = tools.length > 0 || mcp !== undefined;
  const parts = [
    ...(plugins.length === 0 ? [isMore ? 'the built-in ones' : 'only the built-in ones'] : [plugins.join(', ')]),
    ...(tools.length === 0 ? [] : [`the tools ${tools.join(', ')}`]),
    ...(mcp === undefined ? [] : [`the MCP servers ${Object.keys(mcp).join(', ')}`]),
  ];
  return { name: 'plugins', ok: true, detail: parts.join('; ') };
}

async function attempt(name: string, check: () => Check | Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch (error) {
    return { name, ok: false, detail: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof PolyphonyError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** Runs the checks in order: later checks depend on earlier ones. */
async function checksOf(options: SharedOptions, terminal: Terminal): Promise<readonly Check[]> {
  const checks = [await attempt('node', checkNode), await attempt('disk', () => checkSpace(options.store))];
  const config = await attempt('config', async () => {
    const { loadConfig } = await import('../input/config-file.ts');
    const loaded = await loadConfig(process.cwd(), options.config);
    return { name: 'config', ok: true, detail: loaded.path ?? 'none, the defaults apply' };
  });
  checks.push(config);
  if (config.ok) {
    const store = await attempt('store', () => checkStore(options.store));
    checks.push(store, ...(await sessionChecks(options, terminal, store.ok)));
  }
  return checks;
}

/** What needs an open session. Where the store cannot be used, its call is kept in memory. */
async function sessionChecks(options: SharedOptions, terminal: Terminal, hasStore: boolean): Promise<readonly Check[]> {
  const { withPolyphony } = await import('../process/session.ts');
  const stores = hasStore ? undefined : (await import('../../stores/memory.ts')).memoryStores();
  const checks: Check[] = [];
  const check = async (session: Session): Promise<Check> => {
    checks.push(await attempt('providers', () => checkProviders(session)));
    checks.push(...(await checkNames(session)));
    checks.push(await attempt('call', () => checkCall(session)));
    checks.push(...(await checkServers(session)));
    return checkPlugins(session);
  };
  checks.push(await attempt('plugins', () => withPolyphony(options, terminal, check, stores)));
  return checks;
}
