/** polyphony models: what can answer, at what price, and why a request would go where. */
import type { Tier } from '../core/model.ts';
import type { TokenPrice } from '../core/token-price.ts';
import { oneLine, safeJson } from '../drawing/plain-text.ts';
import { thisCommand } from './command-name.ts';
import { EXIT } from './exit-code.ts';
import { tableText } from './result-text.ts';
import { withPolyphony } from './session.ts';
import type { SharedOptions } from './shared-options.ts';
import type { Terminal } from './terminal.ts';

function priceText(price: TokenPrice | null): string {
  if (price === null) return 'unknown';
  if (price.input === 0 && price.output === 0 && price.image === undefined) return 'free';
  if (price.image !== undefined && price.input === 0) return `$${price.image} an image`;
  return `$${price.input} / $${price.output}`;
}

const thousands = (tokens: number): string => (tokens >= 1000 ? `${Math.round(tokens / 1000)}k` : String(tokens));

export async function modelsCommand(options: SharedOptions, terminal: Terminal): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const models = polyphony.gateway.models();
    if (options.json) {
      terminal.print(
        safeJson(
          models.map(({ provider, card }) => ({ provider, ...card })),
          2,
        ),
      );
      return EXIT.done;
    }
    const rows = models.map(({ provider, card }) => [
      `${provider}/${card.id}`,
      card.tier,
      card.operations.join(','),
      thousands(card.contextTokens),
      thousands(card.maxOutputTokens),
      priceText(card.price),
      card.lifecycle?.stage ?? 'stable',
      card.capabilities.filter((capability) => capability !== 'text' && capability !== 'streaming').join(' '),
    ]);
    const head = ['model', 'tier', 'does', 'context', 'output', 'USD a million in / out', 'stage', 'capabilities'];
    terminal.print(tableText([head, ...rows], terminal.paint));
    return EXIT.done;
  });
}

/** polyphony route: the rings and the decision, without a call. */
export async function routeCommand(
  prompt: string,
  options: SharedOptions & { readonly tier?: Tier; readonly model?: string },
  terminal: Terminal,
): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const model = options.model ?? (options.tier === undefined ? undefined : { tier: options.tier });
    const explanation = polyphony.gateway.explain({
      operation: 'chat',
      messages: [{ role: 'user', content: prompt }],
      ...(model === undefined ? {} : { model }),
    });
    const code = explanation.candidates.length === 0 ? EXIT.failed : EXIT.done;
    if (options.json) {
      terminal.print(safeJson(explanation, 2));
      return code;
    }
    const { bold, dim } = terminal.paint;
    terminal.print(`${bold('request ring')}  ${explanation.requestRing.join(' → ')}`);
    terminal.print(`${bold('attempt ring')}  ${explanation.attemptRing.join(' → ')}`);
    explanation.candidates.forEach(({ target, score, parts }, index) => {
      const shown = Object.entries(parts).map(([part, value]) => `${part} ${value.toFixed(2)}`);
      terminal.print(
        `${String(index + 1).padStart(2)}. ${target.provider}/${target.model}  ${score.toFixed(3)}  ${dim(shown.join(', '))}`,
      );
    });
    for (const { target, failed } of explanation.rejected) {
      terminal.print(dim(` ✗  ${oneLine(`${target.provider}/${target.model}  ${failed.join('; ')}`)}`));
    }
    if (code !== EXIT.done) {
      const wanted = options.model === undefined ? 'this prompt' : `the model ${oneLine(options.model)}`;
      terminal.say(`no-route: nothing here answers ${wanted}; ${thisCommand()} models lists what there is`);
    }
    return code;
  });
}
