/**
 * Finds the route of each call before it is routed, and puts its models and limits into the request.
 *
 * L1. A request that names a route or a task takes it, whatever it is for. One that names neither model nor tier is classified, if the
 *     config has tasks, it is a chat, and a caller waits for its answer: no call that a layer makes is.
 * L2. What a layer has nothing to say of passes on as it is, and where the config has neither limits of routes nor tasks there is no layer.
 * L3. The stricter limit counts: a route takes nothing back of what a request requires.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import type { ExplainedRoute } from '../../core/gateway/explained-route.ts';
import type { Call, Handler, Middleware, ModelEvent } from '../../core/model/model.ts';
import { observe } from '../../kit/streams/observe.ts';
import { failing } from '../../kit/streams/stream-head.ts';
import { callStateOf } from '../calls/call-state.ts';
import { choiceOf } from '../calls/requirements.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import type { AskedModel, AskedModelParts } from '../tasks/asked-model.ts';
import { type AskedText, askedText } from '../tasks/asked-text.ts';
import { type Classified, classify } from '../tasks/classify.ts';
import { routeOfTask, withRoute } from './route-limits.ts';
import { createSlowTargets, type SlowTargets } from './slow-targets.ts';

export interface Routes {
  readonly layer: Middleware;
  readonly slow: SlowTargets;
  /** The call as the layer would pass it on, and what decided; asks no model. */
  explained(call: Call): { readonly call: Call; readonly routed: ExplainedRoute | undefined };
}

interface RoutesParts extends AskedModelParts {
  readonly config: () => Config;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly events: GatewayEvents;
}

/** Whether a config says anything that this layer does. */
export const usesRoutes = ({ routes = {}, tasks, detectLanguage }: Config): boolean =>
  tasks !== undefined ||
  detectLanguage === true ||
  Object.values(routes).some((route) => Object.keys(route).some((field) => field !== 'chain'));

/** What is known of a call before a model is asked. */
interface Found {
  readonly classified: Classified | undefined;
  readonly route: string | undefined;
  readonly language: string | undefined;
  /** There is a text whose class only a model can tell. */
  readonly unasked: AskedText | undefined;
}

export function createRoutes(parts: RoutesParts): Routes {
  const { config } = parts;
  const model = lateModel(parts);
  const layer: Middleware = (call, next) => {
    try {
      const current = config();
      const found = findRoute(call, current, model);
      if (found.unasked !== undefined) return asking(model, call, current, found, found.unasked, next);
      return next(placed(call, current, found));
    } catch (error) {
      return failing(error);
    }
  };
  return {
    layer,
    slow: createSlowTargets(parts),
    explained(call) {
      const current = config();
      if (!usesRoutes(current)) return { call, routed: undefined };
      const found = findRoute(call, current, model);
      return { call: placed(call, current, found), routed: explainedOf(found, current) };
    },
  };
}

/** Loaded with the first question, because most configs name no model for it. */
function lateModel(parts: AskedModelParts): AskedModel {
  let loading: Promise<AskedModel> | undefined;
  let loaded: AskedModel | undefined;
  return {
    known: (config, tasks, asked) => loaded?.known(config, tasks, asked),
    async ask(config, tasks, asked, call) {
      loading ??= import('../tasks/asked-model.ts').then(
        ({ createAskedModel }) => createAskedModel(parts),
        (error: unknown) => {
          // The next question tries again: the process may have had no file left to open.
          loading = undefined;
          throw error;
        },
      );
      loaded = await loading;
      return loaded.ask(config, tasks, asked, call);
    },
  };
}

function findRoute(call: Call, config: Config, model: AskedModel): Found {
  const { request } = call;
  const { route, task, id, tier } = choiceOf(request);
  const isAnswer = call.purpose === 'answer' && request.operation === 'chat';
  const names = route ?? task ?? id ?? tier ?? call.order;
  const classifies = isAnswer && names === undefined && config.tasks !== undefined;
  const tellsLanguage = isAnswer && config.detectLanguage === true && request.requires?.languages === undefined;
  const asked = isAnswer && (classifies || tellsLanguage) ? askedText(request) : undefined;
  const language = tellsLanguage ? asked?.language : undefined;
  if (classifies && asked !== undefined) return { ...classified(asked, config, model), language };
  const told: Classified | undefined = task === undefined || route !== undefined ? undefined : { task, by: 'request' };
  const taken = told === undefined ? route : routeFor(told, config);
  return { classified: told, route: taken, language, unasked: undefined };
}

function classified(asked: AskedText, config: Config, model: AskedModel): Omit<Found, 'language'> {
  const tasks = config.tasks ?? {};
  const told = classify(tasks, config, asked);
  if (told.by !== 'nothing' || config.classify?.model === undefined || asked.text === '')
    return { classified: told, route: routeFor(told, config), unasked: undefined };
  const known = model.known(config, tasks, asked);
  if (known === undefined) return { classified: told, route: routeFor(told, config), unasked: asked };
  const byModel: Classified = { ...told, task: known, by: 'model' };
  return { classified: byModel, route: routeFor(byModel, config), unasked: undefined };
}

const routeFor = ({ task }: Classified, config: Config): string | undefined =>
  task === null ? config.classify?.otherwise : routeOfTask(task, config);

/** The same call where nothing was found. */
function placed(call: Call, config: Config, { route, language, classified: told }: Omit<Found, 'unasked'>): Call {
  if (route === undefined && language === undefined) return call;
  callStateOf(call).keepRouted(call.id, { route, language });
  if (route === undefined) return call;
  const request = withRoute(call.request, route, config);
  return told === undefined || told.task === null ? { ...call, request } : { ...call, request, task: told.task };
}

function asking(
  model: AskedModel,
  call: Call,
  config: Config,
  { language }: Found,
  asked: AskedText,
  next: Handler,
): AsyncIterable<ModelEvent> {
  let given = call;
  return observe({
    async start() {
      const told: Classified = { task: await model.ask(config, config.tasks ?? {}, asked, call), by: 'model' };
      given = placed(call, config, { route: routeFor(told, config), language, classified: told });
    },
    open: () => next(given),
  });
}

function explainedOf(
  { classified: told, route, language, unasked }: Found,
  { classify: given }: Config,
): ExplainedRoute {
  return {
    route: route ?? null,
    task: told?.task ?? null,
    by: told?.by ?? (route === undefined ? 'nothing' : 'request'),
    ...(told?.certainty === undefined ? {} : { certainty: told.certainty }),
    ...(unasked === undefined || given?.model === undefined ? {} : { wouldAsk: given.model }),
    ...(language === undefined ? {} : { language }),
  };
}
