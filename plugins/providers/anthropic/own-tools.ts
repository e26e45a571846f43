/** Tools that this provider runs itself, or whose form it defines. */
import { type JsonSchema, mergeFields, type ProviderTool } from 'polyphony/kit';

interface Known {
  readonly type: string;
  readonly name: string;
  /** The preview that the tool needs. */
  readonly beta?: string;
}

const KNOWN: Readonly<Record<string, Known>> = {
  'web-search': { type: 'web_search_20250305', name: 'web_search' },
  'web-fetch': { type: 'web_fetch_20250910', name: 'web_fetch', beta: 'web-fetch-2025-09-10' },
  'code-execution': { type: 'code_execution_20250825', name: 'code_execution', beta: 'code-execution-2025-08-25' },
};

/** Any other name is the dated type of a tool, such as `bash_20250124`; its name is the type without the date. */
export function ownTool({ name, options = {} }: ProviderTool): JsonSchema | undefined {
  const dated = /^([a-z][a-z_]*)_\d{8}$/.exec(name)?.[1];
  const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : dated && { type: name, name: dated };
  if (!known) return undefined;
  const { type, name: called, beta } = known as Known;
  const tools = [mergeFields({ type, name: called }, options)];
  return beta === undefined ? { tools } : { tools, betas: [beta] };
}
