/**
 * A gateway on which everything is switched on that decides, counts or watches: what calls cost those who use all of it. Only what
 * makes calls of its own (mirrors, probes that cost, claims) is off, because its calls would be counted as ours.
 */
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import type { Config } from '../../src/core/config.ts';
import type { Gateway } from '../../src/core/gateway.ts';
import type { ChatRequest } from '../../src/core/model/model.ts';
import type { Stores } from '../../src/core/stores.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { createTransport } from '../../src/gateway/transport/transport.ts';
import { systemRuntime } from '../../src/system/clock.ts';

const NAMES = ['announced', 'announced-chunks-500'];

const card = (id: string) => ({
  id,
  price: { input: 0.15, output: 0.6 },
  contextTokens: 128_000,
  maxOutputTokens: 4096,
  regions: ['eu'],
  languages: ['en', 'de'],
  retention: 'none' as const,
});

const config: Config = {
  budgets: [
    { scope: 'session', usd: 1_000_000 },
    { scope: 'user', usd: 1_000_000, period: 'day', alerts: [0.5, 0.8] },
    { scope: 'team', usd: 1_000_000, period: 'month', startsOn: 5, drift: 0.4 },
    { scope: 'tenant', usd: 1_000_000, period: 'week', dryRun: true },
    { scope: 'tag', usd: 1_000_000 },
    { scope: 'provider', id: 'bench', usd: 1_000_000, period: 'month', shiftAt: 0.8 },
  ],
  commitments: [{ provider: 'bench', usd: 1_000_000, period: 'month', times: 0.5 }],
  routes: Object.fromEntries(
    NAMES.map((name) => [
      name,
      { chain: [`bench/${name}`, `other/${name}`], usd: 1, p95Ms: 60_000, regions: ['eu'], languages: ['en'] },
    ]),
  ),
  tasks: { answers: { route: 'announced', when: [{ words: ['answer'] }], examples: ['What is it?', 'Why is it so?'] } },
  detectLanguage: true,
  adapt: { toolsInPrompt: true, fit: 'middle-out' },
  fallbacks: { contextWindow: ['other/announced'], prompts: [{ from: '*', to: 'other/announced', text: 'Be brief.' }] },
  hedge: { share: 0.01 },
  health: { alerts: true },
  candidates: { next: { of: 'bench/announced', model: 'other/announced', share: 0.1 } },
  prices: { 'bench/announced': { input: 0.15, output: 0.6, windows: [{ start: '16:30', end: '00:30', times: 0.5 }] } },
  log: { attempts: 'info' },
};

const logger = { debug() {}, info() {}, warn() {}, error() {} };

export function gatewayWithEverything(url: string, stores: Stores): Gateway & { close(): Promise<void> } {
  const providers = ['bench', 'other'].map((id) =>
    openaiCompatible({ id, baseURL: url, apiKey: 'bench', concurrency: 128, models: NAMES.map(card) }),
  );
  return createGateway({
    providers,
    config,
    runtime: systemRuntime,
    keyValue: stores.keyValue,
    ledger: stores.ledger,
    ...(stores.attempts === undefined ? {} : { attempts: stores.attempts }),
    transport: createTransport(),
    logger,
  });
}

/** A request that every rule has something to do with. */
export const requestOf = (route: string, content: string): ChatRequest => ({
  operation: 'chat',
  model: { route },
  messages: [{ role: 'user', content }],
  limits: { usd: 0.5, p95Ms: 30_000 },
  sensitivity: 'personal',
  requires: { regions: ['eu'], languages: ['en'] },
});

export const OPTIONS = {
  session: 'bench',
  priority: 'critical',
  requestId: 'bench-1',
  scopes: [
    { kind: 'session', id: 'bench' },
    { kind: 'user', id: 'bench' },
    { kind: 'team', id: 'bench' },
    { kind: 'tenant', id: 'bench' },
    { kind: 'tag', id: 'workflow=bench' },
  ],
} as const;
