/** polyphony simulate: many runs of a plan on a virtual clock, without any call. */
import { InvalidArgumentError } from 'commander';
import { defined } from '../../../core/defined.ts';
import { safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';
import { amount, wholeNumber } from '../../input/option-values.ts';

interface Options {
  readonly runs?: number;
  readonly seed?: number;
  readonly concurrency?: number;
  readonly budget?: number;
  readonly deadline?: number;
}

const within = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
};

export const command = defineCommand<Options, [plan: string]>({
  define: (simulate) =>
    simulate
      .description(
        'Run a plan many times on a virtual clock, without any call: how long it takes and what it costs, the critical path, the nodes ' +
          'worth speeding up, and how often it exceeds its budget or deadline. The report says what it assumes.',
      )
      .argument('<plan>', 'a .plan.json or workflow:<id>')
      .option('--runs <number>', 'simulated runs (default: 1000)', within(1, 100_000))
      .option('--seed <number>', 'the same seed gives the same report (default: 1)', within(0, 0xffffffff))
      .option('--concurrency <number>', 'steps at the same time (default: 64)', wholeNumber)
      .option('--budget <usd>', 'the budget that may break, in US dollars (default: that of the plan)', amount)
      .option('--deadline <seconds>', 'the deadline that may break, in seconds (default: that of the plan)', amount)
      .addHelpText(
        'after',
        examples(
          'polyphony simulate my.plan.json',
          'polyphony simulate my.plan.json --runs 10000 --seed 7 --deadline 30',
          'polyphony simulate workflow:digest --json',
        ),
      ),
  handle: async (terminal, options, argument) => {
    const { givenPlanOf, planTextIn } = await import('../../input/run-target.ts');
    const given = await givenPlanOf(argument);
    const { withStoreToRead } = await import('../../process/session.ts');
    const { validPlan } = await import('../../process/given-plan.ts');
    return withStoreToRead(options, terminal, async (session) => {
      const plan = await validPlan(session, argument, planTextIn(given, session.polyphony), options, terminal);
      if (plan === undefined) return EXIT.invalidPlan;
      const { runs, seed, concurrency, budget: usd, deadline: seconds } = options;
      const simulation = await session.polyphony.simulate(plan, defined({ runs, seed, concurrency, usd, seconds }));
      if (options.json) terminal.print(safeJson(simulation, 2));
      else {
        const { simulationText } = await import('../../screen/simulation-text.ts');
        terminal.print(simulationText(simulation, terminal.paint));
      }
      return EXIT.done;
    });
  },
});
