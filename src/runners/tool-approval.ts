/**
 * The approval of calls that a model makes.
 *
 * A1. A call of a tool that needs approval does not run before a person approved it; what is not clearly a yes refuses it.
 * A2. A call that cannot run at all is no question to a person: the model is told why.
 * A3. A question is answered for the one call that it is about, wherever the run goes on.
 */
import { canonicalJson } from '../core/json/canonical-json.ts';
import type { JsonSchema, JsonValue, ToolCallPart } from '../core/model/model.ts';
import { type HumanQuestion, type NodeCall, SuspendRun } from '../core/run/engine.ts';
import { isPlainObject } from '../language/shorthand.ts';
import { answeredBy, misfitOf } from '../runs/stored/given-answer.ts';

export type Decision =
  | { readonly approval: 'approved' | 'changed'; readonly arguments: JsonValue }
  /** `reason`: what the person said, if anything. */
  | { readonly approval: 'refused'; readonly reason: string };

/** A call that a person decides about. */
export interface CallToApprove {
  /** Its idempotency key, which tells it from all other calls. */
  readonly key: string;
  readonly part: Pick<ToolCallPart, 'name' | 'arguments'>;
  readonly input: JsonSchema;
  /** Who wants it. @default 'model' */
  readonly by?: 'model' | 'plan';
}

/**
 * What a person decided about the call.
 *
 * @throws SuspendRun when nobody has
 */
export function decisionOn({ answer, approvedCall: before }: NodeCall, asked: CallToApprove): Decision {
  const question = answer?.question;
  // It was approved before the workflow that it runs asked a question of its own.
  if (before?.key === asked.key && isSame(before.called, asked.part.arguments))
    return approvedWith(asked, before.arguments);
  const own = questionOf(asked);
  // Where nothing recorded the round, the model may have called something else since.
  const isAnswered = question?.origin === asked.key && isSame(question.data, own.data);
  if (answer === undefined || question === undefined || !isAnswered) throw new SuspendRun(own);
  if (misfitOf(question, answer.value) !== undefined) throw new SuspendRun(question);
  const { approved, answer: said } = answeredBy(question, answer.value);
  if (!approved) return { approval: 'refused', reason: typeof said === 'string' ? said.trim() : '' };
  const changed = isPlainObject(answer.value) ? answer.value.arguments : undefined;
  return approvedWith(asked, changed === undefined ? asked.part.arguments : (changed as JsonValue));
}

function approvedWith({ part }: CallToApprove, given: JsonValue): Decision {
  return { approval: isSame(given, part.arguments) ? 'approved' : 'changed', arguments: given };
}

const isSame = (one: unknown, other: unknown): boolean => canonicalJson(one) === canonicalJson(other);

/** Arguments that a person gives must fit the tool as those of the model must. */
function questionOf({ key, part, input, by = 'model' }: CallToApprove): HumanQuestion {
  const { name, arguments: given } = part;
  const changed = { type: 'object', properties: { arguments: input } } as const;
  return {
    question: `The ${by} wants to call ${name}. Approve the call, refuse it with a reason, or approve it with other arguments.`,
    data: { tool: name, arguments: given },
    out: {
      type: 'object',
      properties: { answer: { anyOf: [{ type: ['string', 'boolean', 'number', 'null', 'array'] }, changed] } },
    },
    origin: key,
  };
}

/** What the model is told of a call that was refused. */
export const refusalText = (name: string, reason: string): string =>
  `A person refused this call of ${name}${reason === '' ? '' : `: ${reason}`}. It was not run.`;
