/** What helps where a plan names a step that is not there, but that the author has read of. */

/** Tools that the config has to open, with its field. */
const CLOSED_TOOLS: ReadonlyMap<string, string> = new Map([
  ['tool:http_get', '"tools.http": true'],
  ['tool:http_request', '"tools.request" with the hosts that it may reach'],
  ['tool:write_file', '"tools.write" with the folder that it may write into'],
  ['tool:write_rows', '"tools.write" with the folder that it may write into'],
]);

/** Fields of a node whose names read like steps. */
const NODE_FIELDS: ReadonlySet<string> = new Set(['finish', 'each', 'repeat', 'when', 'undo', 'thread', 'needs']);

/** Undefined where nothing is known of the name. */
export function remedyOf(use: string): string | undefined {
  const setting = CLOSED_TOOLS.get(use);
  if (setting !== undefined) return `it is off until the config has ${setting}`;
  if (!NODE_FIELDS.has(use)) return undefined;
  return `"${use}" is a field of a node, beside its "use", such as "use": "value"`;
}
