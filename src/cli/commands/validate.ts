/** polyphony validate: lists all issues of a plan. */
import { defined } from '../../core/defined.ts';
import { safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT } from '../input/exit-code.ts';

export const command = defineCommand<{ readonly repair: boolean }, [plan: string]>({
  define: (validate) =>
    validate
      .argument('<plan>', 'a .plan.json or workflow:<id>')
      .option('--no-repair', 'report every issue, and repair nothing')
      .addHelpText(
        'after',
        examples('polyphony validate my.plan.json', 'polyphony validate my.plan.json --no-repair --json'),
      ),
  handle: async (terminal, options, argument) => {
    const { givenPlanOf, planTextIn } = await import('../input/run-target.ts');
    const given = await givenPlanOf(argument);
    const { withStoreToRead } = await import('../process/session.ts');
    const { repairLine } = await import('../process/given-plan.ts');
    const { counted } = await import('../screen/counted.ts');
    const { issueLines } = await import('../screen/result-text.ts');
    return withStoreToRead(options, terminal, async ({ polyphony }) => {
      const { plan, issues, repaired } = await polyphony.validate(planTextIn(given, polyphony), {
        repair: options.repair,
      });
      const code = plan === undefined ? EXIT.invalidPlan : EXIT.done;
      const effects = plan === undefined ? undefined : await polyphony.effects(plan.plan);
      if (options.json) {
        terminal.print(safeJson({ valid: plan !== undefined, issues, repaired, ...defined({ effects }) }, 2));
        return code;
      }
      for (const repair of repaired) terminal.print(repairLine(repair));
      if (issues.length > 0) terminal.print(terminal.wrap(issueLines(issues, terminal.paint), 'stdout'));
      const { green } = terminal.paint;
      if (plan !== undefined && effects !== undefined) {
        terminal.print(`${green('valid')}: ${counted(plan.nodes.length, 'node')}, hash ${plan.hash.slice(0, 12)}`);
        const { planEffectsText } = await import('../screen/effects-text.ts');
        terminal.print(terminal.wrap(planEffectsText(effects), 'stdout'));
      }
      return code;
    });
  },
});
