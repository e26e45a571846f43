/** polyphony route: shows the rings and the routing decision, without a call. */

import { Option } from 'commander';
import { defined } from '../../core/defined.ts';
import type {
  CorrectedFigure,
  ExplainedHedge,
  ExplainedRoute,
  ExplainedTime,
  Explanation,
} from '../../core/gateway.ts';
import type { Tier } from '../../core/model/model.ts';
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import type { Polyphony } from '../../polyphony.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT } from '../input/exit-code.ts';
import type { Terminal } from '../screen/terminal.ts';

interface Options {
  readonly tier?: Tier;
  readonly model?: string;
  readonly route?: string;
  readonly task?: string;
  readonly intent?: string;
  readonly explain?: boolean;
}

export const command = defineCommand<Options, [prompt: string]>({
  define: (route) =>
    route
      .argument('<prompt>', 'the prompt that would be sent')
      .addOption(new Option('--tier <tier>', 'only models of this tier').choices(['fast', 'balanced', 'premium']))
      .option('--model <id>', 'a model, an alias or provider/model')
      .addOption(new Option('--route <name>', 'a route of the config').conflicts(['model', 'tier', 'task']))
      .addOption(new Option('--task <name>', 'a task of the config, whose route it takes').conflicts(['model', 'tier']))
      .option('--intent <bounds>', 'such as "under $0.01, under 800 ms, accuracy above 90 %"')
      .option('--explain', 'also how quality, latency and reliability came about: what was known, observed, and counts')
      .addHelpText(
        'after',
        examples(
          'polyphony route "translate this" --tier fast',
          'polyphony route "hello" --model cheap --json',
          'polyphony route "Fix this loop" --intent "under 2 cents"',
        ),
      ),
  handle: async (terminal, options, prompt) => {
    const { withStoreToRead } = await import('../process/session.ts');
    return withStoreToRead(options, terminal, async ({ polyphony }) => {
      const { tier, route, task, intent } = options;
      const choice = defined({ tier, route, task });
      const model = options.model ?? (Object.keys(choice).length === 0 ? undefined : choice);
      await polyphony.gateway.recall?.();
      const explanation = polyphony.gateway.explain({
        operation: 'chat',
        messages: [{ role: 'user', content: prompt }],
        ...defined({ model, intent }),
      });
      const code = explanation.candidates.length === 0 ? EXIT.failed : EXIT.done;
      if (options.json) {
        terminal.print(safeJson(explanation, 2));
        return code;
      }
      const isNamed = options.model !== undefined || tier !== undefined;
      printRoute(explanation, terminal, { explains: options.explain === true, isNamed });
      if (code !== EXIT.done) {
        const { thisCommand } = await import('../input/command-name.ts');
        const reason =
          options.model === undefined ? 'no model can serve this prompt' : await reasonOf(options.model, polyphony);
        terminal.say(`no-route: ${reason}; ${thisCommand()} models lists the available models`);
      }
      return code;
    });
  },
});

async function reasonOf(model: string, { gateway, catalogue }: Polyphony): Promise<string> {
  const { nearest } = await import('../../language/suggest.ts');
  const listed = gateway.models().flatMap(({ provider, card }) => [`${provider}/${card.id}`, card.id]);
  const names = [...Object.keys(catalogue().aliases), ...listed];
  if (names.includes(model)) return `the model ${oneLine(model)} cannot serve this prompt`;
  const [near] = nearest(model, names);
  return `the model ${oneLine(model)} is not available${near === undefined ? '' : `: did you mean ${near}?`}`;
}

/** @param isNamed the request names its model or its tier, so its text is not looked at for a task */
function printRoute(
  explanation: Explanation,
  terminal: Terminal,
  { explains, isNamed }: { readonly explains: boolean; readonly isNamed: boolean },
): void {
  const { requestRing, attemptRing, candidates, rejected, warnings = [], hedge, routed, limits } = explanation;
  const { rankedBy, shifted } = explanation;
  const { bold, dim } = terminal.paint;
  terminal.print(`${bold('request ring')}  ${requestRing.join(' → ')}`);
  terminal.print(`${bold('attempt ring')}  ${attemptRing.join(' → ')}`);
  if (routed !== undefined) for (const line of routedLines(routed, isNamed)) terminal.print(dim(oneLine(line)));
  if (limits !== undefined) terminal.print(dim(`limits  ${oneLine(safeJson(limits, 0))}`));
  candidates.forEach(({ target, score, parts, figures = [], adaptations = [], notes = [] }, index) => {
    const shown = Object.entries(parts).map(([part, value]) => `${part} ${value.toFixed(2)}`);
    terminal.print(
      `${String(index + 1).padStart(2)}. ${target.provider}/${target.model}  ${score.toFixed(3)}  ${dim(shown.join(', '))}`,
    );
    for (const line of [...adaptations, ...notes]) terminal.print(dim(`      ${oneLine(line)}`));
    if (explains) for (const figure of figures) terminal.print(dim(`      ${figureLine(figure)}`));
  });
  if (shifted !== undefined)
    terminal.print(dim(`    others come before ${oneLine(shifted.join(', '))}, of whose budget so much is spent`));
  if (rankedBy !== undefined) terminal.print(dim(`    order changed by ${oneLine(rankedBy.join(', '))}`));
  if (hedge !== undefined) terminal.print(dim(`    ${oneLine(hedgeLine(hedge))}`));
  for (const { message } of warnings) terminal.print(dim(`    ${oneLine(message)}`));
  for (const { target, failed } of rejected) {
    terminal.print(dim(` ✗  ${oneLine(`${target.provider}/${target.model}  ${failed.join('; ')}`)}`));
  }
}

const HOW: Readonly<Record<ExplainedRoute['by'], string>> = {
  request: 'named by the request',
  rule: 'by a rule',
  examples: 'by its examples',
  model: 'by what a model said of the same text',
  nothing: 'neither rule nor example told it',
};

function routedLines(
  { route, task, by, certainty, wouldAsk, language, times = [] }: ExplainedRoute,
  isNamed: boolean,
): readonly string[] {
  const sure = certainty === undefined ? '' : `, ${Math.round(100 * certainty)} % of the votes of the nearest ones`;
  return [
    `route ${route ?? 'none'}, task ${task ?? 'none'}: ${isNamed ? 'not looked for, as the request names its model or tier' : HOW[by]}${sure}`,
    ...(wouldAsk === undefined ? [] : [`${wouldAsk} would be asked for the task, which may change the route`]),
    ...(language === undefined ? [] : [`language ${language}, by the text`]),
    ...times.map(timeLine),
  ];
}

const timeLine = ({ target, p95Ms, answers, isLeft, inPlaceOf }: ExplainedTime): string =>
  `${target.provider}/${target.model}${inPlaceOf === undefined ? '' : `, in the place of ${inPlaceOf.provider}/${inPlaceOf.model}`}: ${p95Ms === null ? 'no answer in the window' : `95th percentile ${Math.round(p95Ms)} ms of ${answers} answers`}${isLeft ? ', too slow for the route' : ''}`;

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
  const known = prior === null ? 'nothing known' : `known ${shown(prior)} (${from}) counting ${priorWeight}`;
  // What it counts as then is in docs/reference/models.md: it depends on the other candidates.
  const counts = used === null ? 'unknown, which counts as the mean of the known ones' : shown(used);
  return oneLine(`${of} ${counts}: ${known}, ${seen}`);
}
