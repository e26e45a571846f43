/** The config that a user gives: checked, and compared with the one that it replaces. */

import type { ConfigInput } from '../../core/config/config-input.ts';
import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { nearest } from '../../language/suggest.ts';
import { unsupportedNode } from '../../system/node-version.ts';

/** What layers and plugins are made from once. */
const BUILT_IN: readonly (readonly [field: string, of: (config: Config) => unknown])[] = [
  ['plugins', ({ plugins }) => plugins],
  ['workflows', ({ workflows }) => workflows],
  ['tools', ({ tools }) => tools],
  ['mcp', ({ mcp }) => mcp],
  ['escalate', ({ escalate }) => escalate],
  ['timeouts.connectMs', ({ timeouts }) => timeouts?.connectMs],
  ['proxy', ({ proxy }) => proxy],
];

/** The fields that would change although they are fixed when a polyphony is created. */
export const fixedChanges = (before: Config, next: Config): readonly string[] =>
  BUILT_IN.filter(([, of]) => JSON.stringify(of(before)) !== JSON.stringify(of(next))).map(([field]) => field);

/** @throws invalid-config when the next config changes what is fixed when a polyphony is created */
export function assertReplaceable(before: Config, next: Config): void {
  const changed = fixedChanges(before, next);
  if (changed.length === 0) return;
  const message = `The config cannot be replaced, because ${changed.join(', ')} would change, which is fixed when a polyphony is created: leave it as it is, or create a new polyphony.`;
  throw new PolyphonyError('invalid-config', message);
}

/** @throws unsupported when the version of Node is too old: it would fail later, at the first thing that it does not know */
export function assertSupportedNode(version: string): void {
  const refusal = unsupportedNode(version);
  if (refusal !== undefined) throw new PolyphonyError('unsupported', refusal);
}

/**
 * The config as the inside reads it. Without one there is nothing to check, so zod is not loaded.
 *
 * @throws invalid-config naming each field that is wrong
 */
export async function checkedConfig(config: ConfigInput | undefined): Promise<Config> {
  if (config === undefined) return {};
  const [{ ConfigSchema }, { configIssues }] = await Promise.all([
    import('../../core/config/config-schema.ts'),
    import('../../core/config/refused-by-schema.ts'),
  ]);
  const parsed = ConfigSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  const message = `The config cannot be used:\n${configIssues(ConfigSchema, config, parsed.error, { nearest })}`;
  throw new PolyphonyError('invalid-config', message);
}
