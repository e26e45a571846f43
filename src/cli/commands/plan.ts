/** polyphony plan: plans a request and prints the plan. */
import { defined } from '../../core/defined.ts';
import type { PlanEffects } from '../../core/plan/effects.ts';
import type { PlanningPreview, PlanningResult } from '../../core/plan/planner.ts';
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import type { Polyphony } from '../../polyphony.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import { withInterrupt } from '../process/interrupt.ts';
import type { Terminal } from '../screen/terminal.ts';

export const command = defineCommand<
  {
    readonly out?: string;
    readonly explain?: boolean;
    readonly showPrompt?: boolean;
    readonly fresh?: boolean;
  },
  [request: string]
>({
  define: (plan) =>
    plan
      .argument('<request>', 'what to plan, in words')
      .option('-o, --out <file>', 'write the plan to this file')
      .option('--fresh', 'plan anew, though the plan cache may hold a plan')
      .option('--explain', 'say why this model plans, and what the plan reads, writes, reaches and costs')
      .option('--show-prompt', 'print what the planner would be told, with the tokens of each part; asks no model')
      .addHelpText(
        'after',
        examples(
          'polyphony plan "compare a.md and b.md" -o compare.plan.json',
          'polyphony plan "compare a.md and b.md" --json      { plan, hash, rounds, costUsd, issues }',
        ),
      ),
  handle: async (terminal, options, request) => {
    if (request.trim() === '') throw new UsageError('The request is empty: write what to plan');
    const { withPolyphony } = await import('../process/session.ts');
    return withPolyphony(options, terminal, ({ polyphony }) =>
      withInterrupt(terminal, async (signal) => {
        if (options.showPrompt === true) {
          await showPrompt(await polyphony.planningPreview(request), options, terminal);
          return EXIT.done;
        }
        const planning = await planOnScreen(polyphony, request, options, signal, terminal);
        const effects = options.explain === true ? await polyphony.effects(planning.plan.plan) : undefined;
        await showPlanning(planning, effects, options, terminal);
        return EXIT.done;
      }),
    );
  },
});

/** On a terminal, with the tokens and the cost so far. */
async function planOnScreen(
  polyphony: Pick<Polyphony, 'plan'>,
  request: string,
  { json, fresh }: Options,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<PlanningResult> {
  const how = defined({ fresh });
  if (!terminal.live || json) return polyphony.plan(request, { signal, ...how });
  const { planningProgress } = await import('../screen/planning-text.ts');
  const progress = planningProgress();
  const show = (): void => terminal.status([terminal.paint.dim(progress.line())]);
  show();
  try {
    return await polyphony.plan(request, {
      signal,
      ...how,
      onDelta(text) {
        progress.written(text);
        show();
      },
      onAnswer(answer) {
        progress.answered(answer);
        show();
      },
    });
  } finally {
    terminal.status([]);
  }
}

async function showPrompt(preview: PlanningPreview, { json }: Options, terminal: Terminal): Promise<void> {
  const { promptText } = await import('../screen/planning-text.ts');
  terminal.print(json ? safeJson(preview, 2) : promptText(preview));
}

interface Options {
  readonly out?: string;
  readonly json?: boolean;
  readonly fresh?: boolean;
}

async function showPlanning(
  planning: PlanningResult,
  effects: PlanEffects | undefined,
  { out, json }: Options,
  terminal: Terminal,
): Promise<void> {
  const { plan } = planning;
  // This JSON is safe to print, so the terminal and the file get the same text.
  const text = safeJson(plan.plan, 2);
  if (out !== undefined) {
    const { write } = await import('../input/read-file.ts');
    await write(out, `${text}\n`);
  }
  if (json) return terminal.print(safeJson({ ...(await planningDocument(planning, out)), ...defined({ effects }) }, 2));
  await showSummary(planning, terminal);
  if (effects !== undefined && planning.because !== undefined) {
    const { becauseText } = await import('../screen/planning-text.ts');
    terminal.say(terminal.wrap(becauseText(planning.because), 'stderr'));
  }
  if (effects !== undefined) {
    const { planEffectsText } = await import('../screen/effects-text.ts');
    terminal.say(terminal.wrap(planEffectsText(effects), 'stderr'));
  }
  if (out === undefined) terminal.print(text);
  else terminal.say(`wrote ${oneLine(out)}`);
}

async function planningDocument(planning: PlanningResult, file: string | undefined): Promise<object> {
  const { nanoToUsd } = await import('../../core/money/money.ts');
  const { plan, rounds, costNanoUsd, usage, issues, repaired, model, because, warnings, cached } = planning;
  const costUsd = costNanoUsd === null ? null : nanoToUsd(costNanoUsd);
  const written = { plan: plan.plan, hash: plan.hash, rounds, costUsd, issues, repaired };
  return { ...written, ...defined({ usage, planner: model, because, warnings, file, cached }) };
}

async function showSummary(planning: PlanningResult, terminal: Terminal): Promise<void> {
  const { plan, rounds, costNanoUsd, usage, issues, repaired } = planning;
  const { counted } = await import('../screen/counted.ts');
  const { issueLines } = await import('../screen/result-text.ts');
  const { repairLine } = await import('../process/given-plan.ts');
  for (const repair of repaired) terminal.say(terminal.paint.dim(repairLine(repair)));
  if (issues.length > 0) terminal.say(terminal.wrap(issueLines(issues, terminal.paint), 'stderr'));
  for (const { message } of planning.warnings ?? []) terminal.say(terminal.paint.yellow(oneLine(message)));
  if (planning.cached === true) {
    const { sayCached } = await import('../process/approve-plan.ts');
    sayCached(terminal);
  }
  if (!terminal.live) return;
  const { draw } = await import('../../drawing/index.ts');
  const { formatUsd } = await import('../../core/money/money.ts');
  terminal.say(`${draw(plan, 'tree', undefined, terminal.columns())}\n`);
  const cost = costNanoUsd === null ? 'an unknown cost' : formatUsd(costNanoUsd);
  terminal.say(
    terminal.paint.dim(
      `planned in ${counted(rounds, 'round')} with ${(usage?.input ?? 0) + (usage?.output ?? 0)} tokens for ${cost}`,
    ),
  );
}
