/** Config names that are older than the rule for units, by the section that they belong to. */
import { bothGiven, type OlderName, withCurrentFields } from '../older-names.ts';

export const OLDER_CONFIG_NAMES = {
  retry: [
    { older: 'baseMilliseconds', name: 'baseMs' },
    { older: 'maxMilliseconds', name: 'maxMs' },
  ],
  breaker: [{ older: 'cooldownMilliseconds', name: 'cooldownMs' }],
  timeouts: [
    { older: 'connect', name: 'connectMs' },
    { older: 'firstToken', name: 'firstTokenMs' },
    { older: 'answer', name: 'answerMs' },
    { older: 'idle', name: 'idleMs' },
    { older: 'total', name: 'totalMs' },
  ],
  affinity: [{ older: 'ttlSeconds', name: 'ttlMs', times: 1000 }],
} as const satisfies Readonly<Record<string, readonly OlderName[]>>;

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A config with the current names, and without the `$schema` that an editor reads. A value that is not an object is returned
 * unchanged, because the schema refuses it.
 */
export function withCurrentNames(given: unknown, refuse: (path: string[], message: string) => void): unknown {
  if (!isFields(given)) return given;
  const config: Record<string, unknown> = { ...given };
  if (typeof config.$schema === 'string') delete config.$schema;
  for (const [part, names] of Object.entries<readonly OlderName[]>(OLDER_CONFIG_NAMES)) {
    const fields = config[part];
    if (!isFields(fields)) continue;
    config[part] = withCurrentFields(fields, names, (older, name) => refuse([part, older], bothGiven(older, name)));
  }
  return config;
}
