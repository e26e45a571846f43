/** What the config brings beside the built-in tools: those that it switches on, and its MCP servers with theirs. */
import type { Config } from '../../core/config.ts';
import { counted } from './counted.ts';

export interface BroughtServer {
  readonly name: string;
  /** Empty: it could not be started, or lists none. */
  readonly tools: readonly string[];
}

/** @param uses the steps that plans may name, such as `tool:crm/find` */
export function broughtServers({ mcp = {} }: Pick<Config, 'mcp'>, uses: Iterable<string>): readonly BroughtServer[] {
  const all = [...uses];
  return Object.keys(mcp).map((name) => {
    const prefix = `tool:${name}/`;
    return { name, tools: all.flatMap((use) => (use.startsWith(prefix) ? [use.slice(prefix.length)] : [])) };
  });
}

/** The tools that the config switches on. */
export function broughtTools({ tools: { http, request, write } = {} }: Pick<Config, 'tools'>): readonly string[] {
  return [
    ...(http === true ? ['http_get'] : []),
    ...(request === undefined ? [] : ['http_request']),
    ...(write === undefined ? [] : ['write_file', 'write_rows']),
  ];
}

const MOST_NAMED = 8;

export function serverText({ name, tools }: BroughtServer): string {
  if (tools.length === 0) return `${name} offers no tools: with --log warn the reason is shown`;
  const named = tools.slice(0, MOST_NAMED).join(', ');
  const more = tools.length > MOST_NAMED ? ', …' : '';
  return `${name} (${counted(tools.length, 'tool')}: ${named}${more})`;
}
