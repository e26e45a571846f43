/** What the gateway asks of a book of attempts: before a request is sent, and when its attempt has ended. */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { AttemptBook, LedgerRow, NewAttempt, Stores } from '../../../src/core/stores.ts';
import { createPolyphony, type Plugin } from '../../../src/index.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { fakeProvider, finish } from '../../../src/testing/index.ts';

type Said = readonly [what: string, ...details: unknown[]];

/** Stores with a book that only takes note. */
function notedStores(open: () => Promise<void> = async () => {}) {
  const { keyValue, ledger, ...rest } = memoryStores();
  const said: Said[] = [];
  const attempts: AttemptBook = {
    keyValue,
    ledger,
    async open({ row, holds, heldNanoUsd, isSent }: NewAttempt) {
      await open();
      said.push(['open', { isSent, heldNanoUsd, counters: holds.map(({ key }) => key), row }]);
      return {
        ok: true,
        attempt: {
          send: async () => void said.push(['send']),
          settle: async (cost, settled) => void said.push(['settle', cost, settled]),
        },
      };
    },
    recover: async () => false,
  };
  const stores: Stores = { ...rest, keyValue, ledger, attempts };
  return { said, stores };
}

const ask = { messages: [{ role: 'user' as const, content: 'Say it.' }] };
const tenant = { kind: 'tenant', id: 't', capNanoUsd: 1_000_000_000 } as const;

async function asked(stores: Stores, said: Said[], plugins: readonly Plugin[] = [], scopes = [tenant]) {
  const script = () => {
    said.push(['asked']);
    return [{ type: 'text-delta', text: 'it' } as const, finish({ usage: { input: 10, output: 5 } })];
  };
  const polyphony = await createPolyphony({ plugins, defaults: false, providers: [fakeProvider({ script })], stores });
  try {
    return await polyphony.gateway.generate(ask, { scopes, session: 's' });
  } finally {
    await polyphony.close();
  }
}

const words = (said: readonly Said[]): string[] => said.map(([what]) => what);

describe('the book of attempts', () => {
  it('has the attempt, at most at what it holds, before the provider is asked, and its row with the settlement', async () => {
    const { said, stores } = notedStores();
    const { costNanoUsd } = await asked(stores, said);
    expect(words(said)).toEqual(['open', 'asked', 'settle']);
    const [opened = ['nothing', {}], , settled] = said;
    const { row, ...told } = opened[1] as { row: LedgerRow; heldNanoUsd: number };
    expect(told).toMatchObject({ isSent: true, counters: ['budget:tenant:t'] });
    expect(row).toMatchObject({
      uncertain: true,
      estimated: true,
      scopes: [{ kind: 'tenant' }, { kind: 'session', id: 's' }],
    });
    expect(row.costNanoUsd).toBeGreaterThan(0);
    expect(row.costNanoUsd).toBeLessThanOrEqual(told.heldNanoUsd);
    expect(settled).toMatchObject(['settle', costNanoUsd, { key: row.key, outcome: 'ok', costNanoUsd }]);
    // The book writes the row; the ledger is not given it a second time.
    expect(await stores.ledger.totals('provider')).toEqual([]);
  });

  it('has an attempt that no cap concerns', async () => {
    const { said, stores } = notedStores();
    await asked(stores, said, [], []);
    expect(words(said)).toEqual(['open', 'asked', 'settle']);
    expect(said[0]?.[1]).toMatchObject({ heldNanoUsd: 0, counters: [] });
  });

  it('is told when the request is sent, where a plugin stands before the provider', async () => {
    const { said, stores } = notedStores();
    const slow: Plugin = {
      name: 'slow',
      attempt: {
        place: { before: 'provider' },
        async *handle(attempt, next) {
          said.push(['waiting']);
          yield* next(attempt);
        },
      },
    };
    await asked(stores, said, [slow]);
    expect(words(said)).toEqual(['open', 'waiting', 'send', 'asked', 'settle']);
    expect(said[0]?.[1]).toMatchObject({ isSent: false });
  });

  it('gives back what a plugin kept from being sent, without a row', async () => {
    const { said, stores } = notedStores();
    const refusing: Plugin = {
      name: 'refusing',
      attempt: {
        place: { before: 'provider' },
        handle: () => {
          throw new PolyphonyError('blocked', 'Not today.');
        },
      },
    };
    await expect(asked(stores, said, [refusing])).rejects.toMatchObject({ code: 'blocked' });
    expect(said.slice(1)).toEqual([['settle', 0, undefined]]);
  });

  it('stops a call under a cap when it cannot be written, and no other', async () => {
    const full = async () => {
      throw new PolyphonyError('store-full', 'No room.');
    };
    const { said, stores } = notedStores(full);
    await expect(asked(stores, said)).rejects.toMatchObject({ code: 'store-full' });
    expect(words(said)).toEqual([]);
    const other = notedStores(full);
    await asked(other.stores, other.said, [], []);
    expect(words(other.said)).toEqual(['asked']);
    expect(await other.stores.ledger.totals('provider')).toMatchObject([{ attempts: 1 }]);
  });

  it('is not used where its counters or its ledger were replaced', async () => {
    for (const own of ['keyValue', 'ledger'] as const) {
      const { said, stores } = notedStores();
      const mixed = { ...stores, [own]: memoryStores()[own] };
      await asked(mixed, said);
      expect(words(said)).toEqual(['asked']);
      expect(await mixed.ledger.totals('provider')).toMatchObject([{ attempts: 1 }]);
    }
  });
});
