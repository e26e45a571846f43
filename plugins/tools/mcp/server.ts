/**
 * One MCP server and its tools. A server that died is started again by the next call, after a pause that grows while it fails.
 *
 * - A run keeps the tools that it began with. A tool that the server has since changed or removed is not called in it.
 * - A tool that changed asks for approval from then on, whatever it says of itself: approval was given to the one before.
 */
import { createHash } from 'node:crypto';
import {
  abortError,
  firstOf,
  onAbort,
  type PluginContext,
  PolyphonyError,
  type Tool,
  type ToolContext,
} from 'polyphony/kit';
import { answeredError, type Link, type Modules, openLink, orStopped } from './link.ts';
import { type ListedTool, type Listing, readListing } from './listing.ts';
import type { McpServerOptions, Reach } from './options.ts';
import { resultValue } from './result.ts';

export interface McpServer {
  readonly tools: () => readonly Tool[];
  close(): Promise<void>;
}

const RELIST_MS = 500;
const FIRST_PAUSE_MS = 1000;
const MOST_PAUSE_MS = 60_000;
/** Names whose first definition is known: a server may find new ones for ever, and tools with later ones ask. */
const MOST_FIRST = 1000;

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

type Context = Pick<PluginContext, 'clock' | 'logger' | 'toolsChanged'>;

/** A class because a server has one state that its starts, its notices and all its calls share. */
class Server implements McpServer {
  readonly #modules: Modules;
  readonly #reach: Reach;
  readonly #options: McpServerOptions;
  readonly #context: Context;
  readonly #closing = new AbortController();
  #link: Promise<Link> | undefined;
  #listed: ReadonlyMap<string, ListedTool> = new Map();
  readonly #first = new Map<string, string>();
  #tools: readonly Tool[] = [];
  #cancelRelist: (() => void) | undefined;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(modules: Modules, reach: Reach, options: McpServerOptions, context: Context) {
    this.#modules = modules;
    this.#reach = reach;
    this.#options = options;
    this.#context = context;
  }

  tools = (): readonly Tool[] => this.#tools;

  async close(): Promise<void> {
    this.#closing.abort(new PolyphonyError('cancelled', `The MCP server ${this.#reach.name} was closed.`));
    this.#cancelRelist?.();
    const link = await this.#link?.catch(() => undefined);
    this.#link = undefined;
    await link?.close();
  }

  /** The open connection, or a new one. Throws tool-failed while the server cannot be reached. */
  async connected(): Promise<Link> {
    const { clock } = this.#context;
    const { name } = this.#reach;
    if (this.#closing.signal.aborted) throw abortError(this.#closing.signal);
    if (this.#link === undefined) {
      if (clock.monotonic() < this.#notBefore)
        throw gone(`The MCP server ${name} could not be started, and is tried again in a moment: look at its log.`);
      this.#link = this.#open();
    }
    const pending = this.#link;
    try {
      return await pending;
    } catch (error) {
      if (this.#link === pending) this.#link = undefined;
      throw error;
    }
  }

  async #open(): Promise<Link> {
    const { clock, logger } = this.#context;
    const { name } = this.#reach;
    const { startMs = 10_000 } = this.#options;
    const late = gone(`The MCP server ${name} did not answer within ${startMs} ms (startMs).`);
    const limit = limited(clock, startMs, late, this.#closing.signal);
    let link: Link | undefined;
    try {
      link = await openLink(this.#modules, this.#reach, {
        clock,
        signal: limit.signal,
        onChanged: () => this.#changed(),
        onClosed: () => {
          this.#link = undefined;
        },
      });
      this.#take(await this.#read(link, limit.signal));
      this.#failures = 0;
      return link;
    } catch (error) {
      this.#notBefore = clock.monotonic() + Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
      this.#failures = Math.min(this.#failures + 1, 10);
      const said = link?.said() ?? '';
      await link?.close();
      logger.warn({ server: name, error: textOf(error), said }, 'an MCP server could not be started');
      throw error instanceof PolyphonyError
        ? error
        : gone(`The MCP server ${name} could not be reached: ${this.clean(textOf(error))}.`);
    } finally {
      limit.end();
    }
  }

  #read(link: Link, signal: AbortSignal): Promise<Listing> {
    const { tools } = this.#options;
    return readListing(
      (cursor) => link.request('tools/list', cursor === undefined ? {} : { cursor }, signal),
      tools === undefined ? undefined : new Set(tools),
    );
  }

  /** Told as often as a server likes; read at most twice a second. */
  #changed(): void {
    if (this.#cancelRelist !== undefined || this.#closing.signal.aborted) return;
    this.#cancelRelist = this.#context.clock.schedule(RELIST_MS, () => {
      void this.#relist().finally(() => {
        this.#cancelRelist = undefined;
      });
    });
  }

  async #relist(): Promise<void> {
    const { clock, logger } = this.#context;
    const { name } = this.#reach;
    const { startMs = 10_000 } = this.#options;
    const limit = limited(clock, startMs, gone(`The MCP server ${name} gave no list in time.`), this.#closing.signal);
    try {
      const link = await this.connected();
      this.#take(await this.#read(link, limit.signal));
    } catch (error) {
      logger.warn({ server: name, error: textOf(error) }, 'the list of an MCP server could not be read again');
    } finally {
      limit.end();
    }
  }

  #take({ tools, problems }: Listing): void {
    const { name } = this.#reach;
    if (problems.length > 0)
      this.#context.logger.warn({ server: name, problems }, 'parts of the list of an MCP server are left out');
    const before = this.#listed;
    this.#listed = tools;
    const isSame =
      tools.size === before.size && [...tools].every(([key, { digest }]) => before.get(key)?.digest === digest);
    if (isSame) return;
    for (const [key, { digest }] of tools)
      if (!this.#first.has(key) && this.#first.size < MOST_FIRST) this.#first.set(key, hashOf(digest));
    this.#tools = [...tools.values()].map((tool) => this.#toolOf(tool));
    this.#context.toolsChanged?.();
  }

  #toolOf(listed: ListedTool): Tool {
    const { approve = 'writes', trusted = false } = this.#options;
    const { readOnly, digest } = listed;
    const isAsking =
      approve === 'all' || (approve === 'writes' && (!readOnly || this.#first.get(listed.name) !== hashOf(digest)));
    return {
      name: `${this.#reach.name}/${listed.name}`,
      description: listed.description,
      input: listed.input,
      ...(listed.output === undefined ? {} : { output: listed.output }),
      ...(readOnly ? {} : { sideEffects: true }),
      effects: { reads: ['*'], reaches: ['*'], costs: 'money', ...(readOnly ? {} : { writes: ['*'] }) },
      ...(trusted ? { trusted } : {}),
      ...(isAsking ? { approval: 'ask' as const } : {}),
      run: (input, context) => this.#call(listed, input, context),
    };
  }

  async #call(tool: ListedTool, input: Readonly<Record<string, unknown>>, context: ToolContext): Promise<unknown> {
    const { timeoutMs = 60_000 } = this.#options;
    const name = `${this.#reach.name}/${tool.name}`;
    const repeatable = tool.readOnly || tool.idempotent;
    const late = new PolyphonyError(
      'tool-failed',
      `The MCP tool ${name} took longer than ${timeoutMs} ms: ask for less, or raise timeoutMs of the server.`,
      { retryable: repeatable },
    );
    const limit = limited(context.clock, timeoutMs, late, context.signal);
    try {
      const link = await orStopped(limit.signal, this.connected());
      if (this.#listed.get(tool.name)?.digest !== tool.digest) throw changedSince(name);
      const params = { name: tool.name, arguments: { ...input } };
      const result = await link.request('tools/call', params, limit.signal);
      const { secrets } = this.#reach;
      return resultValue(result, { name, secrets, repeatable, typed: tool.output !== undefined });
    } catch (error) {
      if (context.signal.aborted) throw abortError(context.signal);
      if (limit.signal.aborted) throw late;
      throw this.#callError(error, name, repeatable);
    } finally {
      limit.end();
    }
  }

  #callError(error: unknown, name: string, repeatable: boolean): PolyphonyError {
    if (error instanceof PolyphonyError) return error;
    const answered = answeredError(this.#modules, error);
    if (answered !== undefined)
      return new PolyphonyError('tool-failed', `The server refused the call of ${name}: ${this.clean(answered)}`, {
        retryable: false,
      });
    // Whether the tool has run is not known.
    const message = `The MCP server ended, or was lost, while ${name} ran (${this.clean(textOf(error))}): find out what it did.`;
    void this.#drop();
    return new PolyphonyError('tool-failed', message, { retryable: repeatable });
  }

  /** The next call connects again. */
  async #drop(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    await (await link?.catch(() => undefined))?.close();
  }

  clean(text: string): string {
    return this.#reach.secrets.reduce((clean, secret) => clean.replaceAll(secret, '[secret]'), text);
  }
}

const textOf = (error: unknown): string => firstOf(error instanceof Error ? error.message : String(error), 500);

const gone = (message: string): PolyphonyError => new PolyphonyError('tool-failed', message, { retryable: true });

const changedSince = (name: string): PolyphonyError =>
  new PolyphonyError(
    'tool-failed',
    `The MCP server changed or removed ${name} since this run began, so it was not called: start a new run.`,
    { retryable: false },
  );

/** A signal that ends with another one, or after a time. */
function limited(clock: ToolContext['clock'], ms: number, reason: PolyphonyError, outer: AbortSignal) {
  const abort = new AbortController();
  const leave = (): void => abort.abort(outer.reason);
  const stopFollowing = onAbort(outer, leave);
  if (outer.aborted) leave();
  const cancel = clock.schedule(ms, () => abort.abort(reason));
  const end = (): void => {
    cancel();
    stopFollowing();
  };
  return { signal: abort.signal, end };
}

/** Starts the server and reads its list. One that cannot be started has no tools, which is logged. */
export async function openServer(
  modules: Modules,
  reach: Reach,
  options: McpServerOptions,
  context: Context,
): Promise<McpServer> {
  const server = new Server(modules, reach, options, context);
  await server.connected().catch(() => undefined);
  return server;
}
