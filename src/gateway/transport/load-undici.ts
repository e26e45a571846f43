/** Loads of undici what a transport needs. */
import { createRequire } from 'node:module';

type Undici = Pick<typeof import('undici'), 'buildConnector' | 'Client'>;

/**
 * Two parts, where the version that is installed has them in their files: the whole of undici, with fetch, caches and mocks, takes three
 * times as long to load, and the first call of a process waits for it.
 *
 * @param opensTunnels true: the whole, because the parts have no `connect`
 */
export async function loadUndici(opensTunnels: boolean): Promise<Undici> {
  const parts = opensTunnels ? undefined : partsOfUndici();
  if (parts !== undefined) return parts;
  // The default has all names in every program; of one that a bundler cut in pieces, nothing else may be left.
  const { default: whole } = await import('undici');
  return whole;
}

/** Those of other versions have other handlers: what lies beside a bundled program may belong to another package. */
const MAJOR = /^7\./;

function partsOfUndici(): Undici | undefined {
  try {
    const load = createRequire(import.meta.url ?? __filename);
    if (!MAJOR.test(load('undici/package.json').version)) return undefined;
    const parts = {
      buildConnector: load('undici/lib/core/connect.js'),
      Client: load('undici/lib/dispatcher/client.js'),
    };
    return Object.values(parts).every((part) => typeof part === 'function') ? parts : undefined;
  } catch {
    // No package is beside a program that was bundled with all that it imports.
    return undefined;
  }
}
