/** polyphony health: asks the free endpoint of each provider; with --sweep each hosted model with a question of a few tokens. */
import type { Gateway, ProbeReport } from '../../core/gateway.ts';
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT } from '../input/exit-code.ts';
import { amount } from '../input/option-values.ts';

interface Options {
  readonly sweep?: boolean;
  readonly budget: number;
}

export const command = defineCommand<Options>({
  define: (health) =>
    health
      .option(
        '--sweep',
        'ask every hosted model of every provider too, with a question of a few tokens: this costs a little',
      )
      .option('--budget <usd>', 'with --sweep: the most that all its questions may cost', amount, 0.1)
      .addHelpText(
        'after',
        examples(
          'polyphony health',
          'polyphony health --json',
          'polyphony health --sweep --budget 0.05   such as weekly',
        ),
      ),
  handle: async (terminal, options) => {
    const { withPolyphony } = await import('../process/session.ts');
    const { tableText } = await import('../screen/result-text.ts');
    return withPolyphony(options, terminal, async ({ polyphony: { gateway } }) => {
      const probes = (await gateway.probe?.()) ?? [];
      const models = options.sweep === true ? await sweep(gateway, options.budget) : undefined;
      const isWell = ![...probes, ...(models ?? [])].some(({ ok }) => ok === false);
      if (options.json) terminal.print(safeJson({ providers: probes, ...(models && { models }) }, 2));
      else {
        const rows = [...probes.map(probeRow), ...(models ?? []).map(modelRow)];
        terminal.print(tableText([['asked', 'state', 'ms', ''], ...rows], terminal.paint));
      }
      return isWell ? EXIT.done : EXIT.failed;
    });
  },
});

interface ModelReport {
  readonly model: string;
  /** null: it was not asked, because the budget is spent. */
  readonly ok: boolean | null;
  readonly ms: number;
  readonly error?: { readonly code: string; readonly message: string };
}

const AT_ONCE = 4;

/** Each model that answers chats and is not a server of the user's own, a few at the same time. */
async function sweep(gateway: Gateway, budgetUsd: number): Promise<readonly ModelReport[]> {
  const { usdToNano } = await import('../../core/money/money.ts');
  const { systemIds } = await import('../../system/clock.ts');
  const hosted = gateway.models().filter(({ card, isOwn }) => isOwn !== true && card.operations.includes('chat'));
  const scope = { kind: 'tag', id: systemIds('sweep'), capNanoUsd: usdToNano(budgetUsd) } as const;
  const waiting = hosted.map(({ provider, card }) => `${provider}/${card.id}`);
  const reports: ModelReport[] = [];
  const work = async (): Promise<void> => {
    for (let model = waiting.shift(); model !== undefined; model = waiting.shift()) {
      reports.push(await askModel(gateway, model, scope));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return reports.sort((a, b) => (a.model < b.model ? -1 : 1));
}

async function askModel(
  gateway: Gateway,
  model: string,
  scope: { readonly kind: 'tag'; readonly id: string; readonly capNanoUsd: number },
): Promise<ModelReport> {
  const { systemClock } = await import('../../system/clock.ts');
  const { asPolyphonyError } = await import('../../core/errors.ts');
  const begun = systemClock.monotonic();
  const ms = (): number => Math.round(systemClock.monotonic() - begun);
  try {
    await gateway.generate(
      { prompt: 'Say yes.', model, maxOutputTokens: 64, limits: { retries: 0, ms: 60_000 } },
      { purpose: 'probe', scopes: [scope] },
    );
    return { model, ok: true, ms: ms() };
  } catch (thrown) {
    const { code, message } = asPolyphonyError(thrown);
    return { model, ok: code === 'budget-exceeded' ? null : false, ms: ms(), error: { code, message } };
  }
}

const probeRow = ({ provider, ok, ms, error }: ProbeReport): string[] => [
  provider,
  ok === null ? 'no free endpoint' : stateOf(ok),
  ok === null ? '' : String(Math.round(ms)),
  reasonOf(error),
];

const modelRow = ({ model, ok, ms, error }: ModelReport): string[] => [
  oneLine(model),
  ok === null ? 'not asked' : stateOf(ok),
  ok === null ? '' : String(ms),
  reasonOf(error),
];

const stateOf = (ok: boolean): string => (ok ? 'answers' : 'fails');
const reasonOf = (error: { readonly code: string; readonly message: string } | undefined): string =>
  error === undefined ? '' : oneLine(`${error.code}: ${error.message}`);
