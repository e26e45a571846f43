/** polyphony schedule: the process that fires the schedules and the triggers of the config. */
import { defineCommand, examples } from '../command.ts';
import { UsageError } from '../input/exit-code.ts';

interface Options {
  readonly once?: boolean;
  readonly list?: boolean;
}

export const command = defineCommand<Options>({
  define: (schedule) =>
    schedule
      .description(
        'Start runs at the times of `schedules` and for the files of `triggers` in the config, and continue runs that wait for ' +
          'a moment, until Ctrl-C. Runs that are under way then are continued by the next start of this command. Several of ' +
          'these processes on one store start and continue each run once.',
      )
      .option('--once', 'start what is due now, wait for it, and exit: for the cron of a system, once a minute')
      .option('--list', 'show when each schedule is due next and what each trigger watches; start nothing')
      .addHelpText(
        'after',
        examples(
          'polyphony schedule                              until Ctrl-C',
          'polyphony schedule --list',
          '* * * * * cd /srv/press && polyphony schedule --once     a line of a crontab',
        ),
      ),
  handle: async (terminal, options) => {
    if (options.once && options.list)
      throw new UsageError('--once starts runs and --list starts nothing: use one of them');
    const { withPolyphony } = await import('../process/session.ts');
    const { fireSchedules } = await import('../process/fire-schedules.ts');
    return withPolyphony(options, terminal, (session) => fireSchedules(session, options, terminal));
  },
});
