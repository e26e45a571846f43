/** polyphony estimate: estimates the cost of a plan before any call. */
import type { NodeEstimate } from '../../core/plan/plan.ts';
import { safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT } from '../input/exit-code.ts';

export const command = defineCommand<object, [plan: string]>({
  define: (estimate) =>
    estimate
      .argument('<plan>', 'a .plan.json or workflow:<id>')
      .addHelpText('after', examples('polyphony estimate my.plan.json', 'polyphony estimate workflow:digest --json')),
  handle: async (terminal, options, argument) => {
    const { givenPlanOf, planTextIn } = await import('../input/run-target.ts');
    const given = await givenPlanOf(argument);
    const { withStoreToRead } = await import('../process/session.ts');
    const { validPlan } = await import('../process/given-plan.ts');
    return withStoreToRead(options, terminal, async (session) => {
      await session.polyphony.gateway.recall?.();
      const plan = await validPlan(session, argument, planTextIn(given, session.polyphony), options, terminal);
      if (plan === undefined) return EXIT.invalidPlan;
      const nodes = plan.nodes.map(({ node, estimate }) => ({ id: node.id, ...estimate }));
      if (options.json) terminal.print(safeJson({ run: plan.estimate, nodes }, 2));
      else {
        const { formatUsd } = await import('../../core/money/money.ts');
        const { durationText } = await import('../screen/progress.ts');
        const { tableText } = await import('../screen/result-text.ts');
        const row = (name: string, of: NodeEstimate): readonly string[] => [
          name,
          ...[of.lowNanoUsd, of.expectedNanoUsd, of.highNanoUsd].map(formatUsd),
          durationText(of.expectedMs),
        ];
        const head = ['node', 'low', 'expected', 'high', 'time'];
        const rows = nodes.map((node) => row(node.id, node));
        terminal.print(tableText([head, ...rows, row('the run', plan.estimate)], terminal.paint));
      }
      return EXIT.done;
    });
  },
});
