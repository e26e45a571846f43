/** How requests become plans, and what starts runs. */
export interface PromptsConfig {
  /** The folder with the files, `*.md`; the command reads it relative to the config. */
  readonly folder: string;
  /** Plans that a model writes may name them too. @default false */
  readonly planner?: boolean;
}

export interface PlannerConfig {
  /** The model that turns requests into plans. @default the best one that can plan within `maxUsd` */
  readonly model?: string;
  /**
   * The most that one planning is expected to cost, in US dollars, where no model is named; once set, it holds for the stronger
   * planner too. @default 0.05, which gives way where no model that can plan is within it
   */
  readonly maxUsd?: number;
  /**
   * Whether a stronger planner is asked after the rounds. True: even one elsewhere, where the planner is on a server of your own.
   *
   * @default a planner on a server of your own gives way to others of that kind only
   */
  readonly escalate?: boolean;
  /** Attempts at a valid plan, 1 to 10. @default 3 */
  readonly rounds?: number;
  /** Plans are found again for requests of the same shape. @default no plan is kept */
  readonly cache?: PlanCacheConfig;
}

export interface PlanCacheConfig {
  /** Days after which a plan is made anew, 1 to 365. @default 7 */
  readonly days?: number;
  /** Most shapes of requests, 1 to 10000. @default 1000 */
  readonly shapes?: number;
}

export interface ScheduleConfig {
  /** When: minute, hour, day of the month, month, day of the week, such as `0 7 * * 1-5`, or `@daily`. At most 100 characters. */
  readonly cron: string;
  /** The zone of these times, such as `Europe/Berlin`. @default 'UTC' */
  readonly timeZone?: string;
  /** What runs: a plan file relative to the config, or `workflow:<id>`. */
  readonly run: string;
  /** The input of the run; `{{due}}` in its strings is the time that was due, such as `2026-03-31T05:00:00.000Z`. @default none */
  readonly input?: Readonly<Record<string, unknown>>;
  /** The cap of each run, in US dollars. @default the budget of the plan */
  readonly budgetUsd?: number;
  /** What becomes of times that passed while nothing fired them: nothing, or one run for the last of them. @default 'skip' */
  readonly missed?: 'skip' | 'once';
}

export interface TriggerConfig {
  /** The folder that is watched, relative to the config. */
  readonly folder: string;
  /** Which files below it: `*` within a name, `?` for one character, `**` for any folders. @default '*' */
  readonly pattern?: string;
  /** What runs for each file: a plan file relative to the config, or `workflow:<id>`. */
  readonly run: string;
  /** The input of the run; its strings may hold `{{path}}`, `{{name}}`, `{{size}}` and `{{modified}}`. @default `{ path }` */
  readonly input?: Readonly<Record<string, unknown>>;
  /** The cap of each run, in US dollars. @default the budget of the plan */
  readonly budgetUsd?: number;
  /** Runs of this trigger at the same time, 1 to 64. @default 4 */
  readonly concurrency?: number;
  /** How long a file must stand still, in size and time, before it is taken, in milliseconds, up to 3600000. @default 2000 */
  readonly settleMs?: number;
  /** The pause between two looks at the folder, in milliseconds, 100 to 3600000. @default 2000 */
  readonly pollMs?: number;
}
