/** polyphony route: shows the rings and the routing decision, without a call. */

import { Option } from 'commander';
import { defined } from '../../core/defined.ts';
import type { CorrectedFigure, ExplainedHedge, Explanation } from '../../core/gateway.ts';
import type { Tier } from '../../core/model/model.ts';
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT } from '../input/exit-code.ts';
import type { Terminal } from '../screen/terminal.ts';

interface Options {
  readonly tier?: Tier;
  readonly model?: string;
  readonly explain?: boolean;
}

export const command = defineCommand<Options, [prompt: string]>({
  define: (route) =>
    route
      .argument('<prompt>', 'the prompt that would be sent')
      .addOption(new Option('--tier <tier>', 'only models of this tier').choices(['fast', 'balanced', 'premium']))
      .option('--model <id>', 'a model, an alias or provider/model')
      .option('--explain', 'also how quality, latency and reliability came about: what was known, observed, and counts')
      .addHelpText(
        'after',
        examples('polyphony route "translate this" --tier fast', 'polyphony route "hello" --model cheap --json'),
      ),
  handle: async (terminal, options, prompt) => {
    const { withPolyphony } = await import('../process/session.ts');
    return withPolyphony(options, terminal, async ({ polyphony }) => {
      const model = options.model ?? (options.tier === undefined ? undefined : { tier: options.tier });
      await polyphony.gateway.recall?.();
      const explanation = polyphony.gateway.explain({
        operation: 'chat',
        messages: [{ role: 'user', content: prompt }],
        ...defined({ model }),
      });
      const code = explanation.candidates.length === 0 ? EXIT.failed : EXIT.done;
      if (options.json) {
        terminal.print(safeJson(explanation, 2));
        return code;
      }
      printRoute(explanation, terminal, options.explain === true);
      if (code !== EXIT.done) {
        const { thisCommand } = await import('../input/command-name.ts');
        const reason =
          options.model === undefined
            ? 'no model can serve this prompt'
            : `the model ${oneLine(options.model)} is not available`;
        terminal.say(`no-route: ${reason}; ${thisCommand()} models lists the available models`);
      }
      return code;
    });
  },
});

function printRoute(
  { requestRing, attemptRing, candidates, rejected, rankedBy, warnings = [], hedge }: Explanation,
  terminal: Terminal,
  explains: boolean,
): void {
  const { bold, dim } = terminal.paint;
  terminal.print(`${bold('request ring')}  ${requestRing.join(' → ')}`);
  terminal.print(`${bold('attempt ring')}  ${attemptRing.join(' → ')}`);
  candidates.forEach(({ target, score, parts, figures = [], adaptations = [] }, index) => {
    const shown = Object.entries(parts).map(([part, value]) => `${part} ${value.toFixed(2)}`);
    terminal.print(
      `${String(index + 1).padStart(2)}. ${target.provider}/${target.model}  ${score.toFixed(3)}  ${dim(shown.join(', '))}`,
    );
    for (const change of adaptations) terminal.print(dim(`      ${oneLine(change)}`));
    if (explains) for (const figure of figures) terminal.print(dim(`      ${figureLine(figure)}`));
  });
  if (rankedBy !== undefined) terminal.print(dim(`    order changed by ${oneLine(rankedBy.join(', '))}`));
  if (hedge !== undefined) terminal.print(dim(`    ${oneLine(hedgeLine(hedge))}`));
  for (const { message } of warnings) terminal.print(dim(`    ${oneLine(message)}`));
  for (const { target, failed } of rejected) {
    terminal.print(dim(` ✗  ${oneLine(`${target.provider}/${target.model}  ${failed.join('; ')}`)}`));
  }
}

function hedgeLine({ afterMs, second }: ExplainedHedge): string {
  if (second === null) return 'no second target: there is no other one';
  const name = `${second.provider}/${second.model}`;
  return afterMs === null
    ? `second target: ${name}, once twenty answers of the first are known`
    : `second target: ${name}, after ${Math.round(afterMs)} ms without a word of the first`;
}

/** `code 0.93: known 0.95 (measured: a, b) counting 20, observed 0.85 counting 4.2` */
function figureLine({ of, prior, basis, sources, priorWeight, observed, observations, used }: CorrectedFigure): string {
  const shown = (value: number | null): string =>
    value === null ? 'unknown' : of === 'latency' ? `${Math.round(value)} ms` : value.toFixed(2);
  const from = sources.length === 0 ? basis : `${basis}: ${sources.join(', ')}`;
  const seen =
    observed === null ? 'nothing observed' : `observed ${shown(observed)} counting ${Number(observations.toFixed(1))}`;
  return oneLine(`${of} ${shown(used)}: known ${shown(prior)} (${from}) counting ${priorWeight}, ${seen}`);
}
