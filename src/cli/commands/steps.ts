/** polyphony steps: lists what a plan may use, with what each does outside its run. */
import { PolyphonyError } from '../../core/errors.ts';
import type { PlanEffects } from '../../core/plan/effects.ts';
import type { StepType } from '../../core/plan/validation.ts';
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import type { Polyphony } from '../../polyphony.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT } from '../input/exit-code.ts';

const CANNOT_RUN = 'cannot run here';

/** A ready-made workflow may need a model or a tool that is not there. */
async function effectsOfStep(
  { use, effects }: StepType,
  polyphony: Polyphony,
): Promise<StepType['effects'] | PlanEffects | typeof CANNOT_RUN> {
  const { workflowNameOf } = await import('../../core/plan/plan-workflows.ts');
  const name = workflowNameOf(use);
  const plan = name === undefined ? undefined : polyphony.catalogue().workflows.get(name);
  if (plan === undefined) return effects;
  try {
    return await polyphony.effects(plan);
  } catch (error) {
    if (error instanceof PolyphonyError && error.code === 'invalid-plan') return CANNOT_RUN;
    throw error;
  }
}

export const command = defineCommand<object, [name: string | undefined]>({
  define: (steps) =>
    steps
      .argument('[name]', 'a part of the names to list')
      .addHelpText(
        'after',
        examples('polyphony steps', 'polyphony steps tool:', 'polyphony steps read_file --json    with the schemas'),
      ),
  handle: async (terminal, options, name = '') => {
    const { withStoreToRead } = await import('../process/session.ts');
    const { effectsOfDeclared } = await import('../../core/plan/effects.ts');
    const { effectsText } = await import('../screen/effects-text.ts');
    const { tableText } = await import('../screen/result-text.ts');
    return withStoreToRead(options, terminal, async ({ polyphony }) => {
      const shown: { readonly step: StepType; readonly text: string; readonly document: object }[] = [];
      for (const step of polyphony.catalogue().steps.values()) {
        if (!step.use.includes(name)) continue;
        const effects = await effectsOfStep(step, polyphony);
        const text = effects === undefined ? 'unknown' : effects === CANNOT_RUN ? effects : effectsText(effects);
        const known = effects === CANNOT_RUN ? undefined : effects;
        shown.push({ step, text, document: { ...step, effects: known ?? effectsOfDeclared(step) } });
      }
      if (options.json)
        terminal.print(
          safeJson(
            shown.map(({ document }) => document),
            2,
          ),
        );
      else if (shown.length > 0) {
        const rows = shown.map(({ step, text }) => [step.use, text]);
        terminal.print(tableText([['step', 'effects'], ...rows], terminal.paint));
      }
      if (shown.length > 0) return EXIT.done;
      const { thisCommand } = await import('../input/command-name.ts');
      terminal.say(`No step is called "${oneLine(name)}": ${thisCommand()} steps lists the steps that plans may use.`);
      return EXIT.failed;
    });
  },
});
