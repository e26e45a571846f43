/** The schema of routes, tasks and of how requests are classified. */
import { z } from 'zod';
import type { Config } from '../config.ts';
import { TIERS } from '../model/request.ts';

const name = z.string().min(1).max(120);
const some = z.array(name).min(1).max(20);
const milliseconds = z.int().positive();
const usd = z.number().nonnegative().max(9_000_000);

const RouteSchema = z
  .strictObject({
    chain: z.array(name).min(1).max(20).optional(),
    tier: z.enum(TIERS).optional(),
    usd: usd.optional(),
    p95Ms: milliseconds.optional(),
    windowMs: z.int().min(1000).max(3_600_000).optional(),
    languages: some.optional(),
    regions: some.optional(),
    retention: z.literal('none').optional(),
  })
  .refine(({ chain, tier }) => (chain === undefined) !== (tier === undefined), {
    message: 'give either "chain" or "tier"',
  });

export const RoutesSchema = z
  .record(name, RouteSchema)
  .refine((all) => Object.keys(all).length <= 200, 'at most 200 are taken');

const TaskRuleSchema = z
  .strictObject({
    words: z.array(name).min(1).max(200).optional(),
    attachments: z
      .array(z.enum(['image', 'audio', 'video', 'file']))
      .min(1)
      .max(4)
      .optional(),
    tools: z.boolean().optional(),
    json: z.boolean().optional(),
    languages: some.optional(),
    minTokens: z.int().nonnegative().optional(),
    maxTokens: z.int().nonnegative().optional(),
  })
  .refine((rule) => Object.values(rule).some((value) => value !== undefined), {
    message: 'a rule without conditions would fit every request: give one, or use classify.otherwise',
  });

export const TasksSchema = z
  .record(
    z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'begin with a letter, then a-z, 0-9, _ and -, at most 40'),
    z.strictObject({
      route: name.optional(),
      description: z.string().min(1).max(500).optional(),
      when: z.array(TaskRuleSchema).min(1).max(20).optional(),
      examples: z.array(z.string().min(1).max(2000)).min(1).max(500).optional(),
    }),
  )
  .refine((all) => Object.keys(all).length <= 50, 'at most 50 are taken')
  .refine((all) => Object.values(all).reduce((sum, { examples = [] }) => sum + examples.length, 0) <= 5000, {
    message: 'at most 5000 examples are taken, those of all tasks together',
  });

export const ClassifySchema = z.strictObject({
  certainty: z.number().min(0).max(1).optional(),
  model: name.optional(),
  usd: usd.optional(),
  ms: milliseconds.max(600_000).optional(),
  kept: z.int().min(0).max(100_000).optional(),
  otherwise: name.optional(),
});

/** Tasks, and what is left of all of them, lead to routes that exist. */
export function checkRoutes(
  { routes = {}, tasks = {}, classify }: Pick<Config, 'routes' | 'tasks' | 'classify'>,
  refuse: (path: string[], message: string) => void,
): void {
  const known = Object.keys(routes).slice(0, 20).join(', ') || 'none';
  const check = (path: string[], route: string | undefined): void => {
    if (route === undefined || Object.hasOwn(routes, route)) return;
    refuse(path, `leads to the route "${route}", which the config does not have: the routes are ${known}`);
  };
  for (const [task, { route }] of Object.entries(tasks)) {
    check(route === undefined ? ['tasks', task] : ['tasks', task, 'route'], route ?? task);
  }
  check(['classify', 'otherwise'], classify?.otherwise);
}
