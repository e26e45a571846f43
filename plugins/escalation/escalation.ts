/** Cheap model first: when an evaluator scores its answer below a threshold, a better model is asked. */
import {
  type Call,
  definePlugin,
  type EscalationRule,
  type Evaluator,
  type Handler,
  type ModelEvent,
  type Plugin,
  type PluginContext,
  PolyphonyError,
} from 'polyphony/kit';
import { climb } from './escalation/ladder.ts';

export interface EscalationOptions {
  /** For requests without `escalate`; `escalate: false` on a request switches escalation off. @default none */
  readonly policy?: EscalationRule;
  /**
   * `buffer` holds a draft back until it is judged; `restart` streams it and starts again with a `restart` event if it is
   * replaced. @default 'buffer'
   */
  readonly stream?: 'buffer' | 'restart';
}

/**
 * @throws invalid-config, once the plugins are set up, when the policy names an evaluator that no plugin brings, or a rung that is
 * neither a tier nor a known model
 */
export function escalation(options: EscalationOptions = {}): Plugin {
  const { policy, stream = 'buffer' } = options;
  return definePlugin({
    name: 'escalation',
    ...(policy === undefined ? {} : { escalate: policy }),
    setup: (context) => ({
      ready() {
        if (policy !== undefined) requireEvaluator(context.evaluators, policy.evaluator, 'invalid-config');
      },
      request: {
        place: 'escalation',
        handle(call, next) {
          const rule = ruleOf(call, policy);
          return rule === undefined ? next(call) : escalated(context, rule, stream === 'restart', call, next);
        },
      },
    }),
  });
}

/** For configs that load the plugin by its path. */
export default (options?: EscalationOptions) => escalation(options);

function ruleOf({ request, purpose }: Call, policy: EscalationRule | undefined): EscalationRule | undefined {
  if (request.operation !== 'chat' || (purpose !== 'answer' && purpose !== 'planner')) return undefined;
  return request.escalate === false ? undefined : (request.escalate ?? policy);
}

async function* escalated(
  context: PluginContext,
  rule: EscalationRule,
  live: boolean,
  call: Call,
  next: Handler,
): AsyncGenerator<ModelEvent> {
  const { gateway, clock, evaluators } = context;
  const evaluator = requireEvaluator(evaluators, rule.evaluator, 'invalid-request');
  yield* climb({ gateway, clock, evaluator, rule, live }, call, next);
}

function requireEvaluator(
  evaluators: ReadonlyMap<string, Evaluator>,
  name: string,
  code: 'invalid-request' | 'invalid-config',
): Evaluator {
  const evaluator = evaluators.get(name);
  if (evaluator !== undefined) return evaluator;
  const known = [...evaluators.keys()].map((one) => `"${one}"`).join(', ') || 'none';
  throw new PolyphonyError(
    code,
    `There is no evaluator "${name}": use one that exists (${known}), or add the plugin that brings it.`,
  );
}
