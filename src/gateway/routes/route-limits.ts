/** A request as a route of the config takes it: its models, and the stricter of both limits. */

import type { Config, RouteConfig, TaskConfig } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { ModelChoice, ModelRequest, RequestLimits, Requirements } from '../../core/model/model.ts';
import { nearest } from '../../language/suggest.ts';
import { choiceOf } from '../calls/requirements.ts';
import { unknownName } from '../calls/unknown-name.ts';

/** @throws no-route for a name that the config does not have, and for regions that the route does not have */
export function withRoute(request: ModelRequest, name: string, config: Config): ModelRequest {
  const route = routeNamed(name, config);
  const model = modelOf(choiceOf(request), name, route);
  const limits = limitsOf(request.limits, route);
  const requires = requirementsOf(request.requires, name, route);
  return {
    ...request,
    model,
    ...(limits === undefined ? {} : { limits }),
    ...(requires === undefined ? {} : { requires }),
  };
}

function routeNamed(name: string, { routes = {} }: Config): RouteConfig {
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (route === undefined) throw unknownName('route', name, Object.keys(routes));
  return route;
}

/** What else the request says of the model holds for its route too. */
function modelOf({ task: _, route: __, ...choice }: ModelChoice, name: string, { tier }: RouteConfig): ModelChoice {
  return tier === undefined ? { ...choice, route: name } : { ...choice, tier };
}

function limitsOf(limits: RequestLimits | undefined, { usd }: RouteConfig): RequestLimits | undefined {
  if (usd === undefined) return limits;
  return { ...limits, usd: Math.min(usd, limits?.usd ?? usd) };
}

function requirementsOf(given: Requirements | undefined, name: string, route: RouteConfig): Requirements | undefined {
  const { languages, regions, retention } = route;
  if (languages === undefined && regions === undefined && retention === undefined) return given;
  const allowed = regions === undefined ? undefined : narrowed(given?.regions, regions, name);
  return {
    ...given,
    ...(languages === undefined ? {} : { languages: [...new Set([...(given?.languages ?? []), ...languages])] }),
    ...(allowed === undefined ? {} : { regions: allowed }),
    ...(retention === undefined ? {} : { retention }),
  };
}

/** An empty list would mean any region. */
function narrowed(asked: readonly string[] | undefined, regions: readonly string[], name: string): readonly string[] {
  if (asked === undefined || asked.length === 0) return regions;
  const both = asked.filter((region) => regions.includes(region));
  if (both.length > 0) return both;
  throw new PolyphonyError(
    'no-route',
    `The request requires ${asked.join(' or ')}, but the route "${name}" allows ${regions.join(' or ')} only: name another route, or a region of this one.`,
    { details: { rejected: [] } },
  );
}

/** @throws no-route for a task that the config does not have */
export function routeOfTask(task: string, { tasks = {} }: Config): string {
  const known = Object.hasOwn(tasks, task) ? tasks[task] : undefined;
  if (known === undefined) throw unknownName('task', task, Object.keys(tasks));
  return routeOfKnown(task, known);
}

const routeOfKnown = (task: string, { route = task }: TaskConfig): string => route;

/** @throws invalid-config for a task, or a rest of all tasks, whose route the config does not have */
export function assertRoutes(config: Config): void {
  const { routes = {}, tasks = {}, classify } = config;
  const names = Object.entries(tasks).map(([task, given]) => ({
    where: `tasks.${task}`,
    name: routeOfKnown(task, given),
  }));
  if (classify?.otherwise !== undefined) names.push({ where: 'classify.otherwise', name: classify.otherwise });
  for (const { where, name } of names) {
    if (Object.hasOwn(routes, name)) continue;
    const known = Object.keys(routes);
    const [near] = nearest(name, known);
    const hint = near === undefined ? `the routes are: ${known.join(', ') || 'none'}` : `did you mean "${near}"?`;
    throw new PolyphonyError(
      'invalid-config',
      `${where} leads to the route "${name}", which the config does not have: ${hint}`,
    );
  }
}
