/** A rule for escalation, checked where it enters: a request, the config, or the policy of a plugin. */
import { assertKnownFields, type KnownFields, oneOf, shown } from '../../../core/checked-options.ts';
import { type ErrorCode, PolyphonyError } from '../../../core/errors.ts';
import type { EscalationRule } from '../../../core/model/model.ts';
import { nearest } from '../../../language/suggest.ts';

const ESCALATE: KnownFields<EscalationRule> = {
  evaluator: true,
  below: true,
  to: true,
  context: oneOf('fresh', 'with-draft'),
};

/** Where a rule stands, for the error that refuses it. */
export interface RuleSource {
  /** Begins the message, such as `The config cannot be used:`. @default nothing */
  readonly whose?: string;
  readonly code: ErrorCode;
}

export const OF_REQUEST: RuleSource = { code: 'invalid-request' };

/** A threshold in percent would be below no score, or below all; a rung that is no text leads nowhere. */
export function assertRule(rule: EscalationRule | false, source: RuleSource = OF_REQUEST): void {
  if (rule === false) return;
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) {
    const given = `escalate is ${shown(rule)}`;
    throw whole(
      source,
      `${given}, but it must be false or a rule, such as { evaluator: 'validators', to: ['premium'] }.`,
    );
  }
  assertKnownFields(
    `${source.whose === undefined ? '' : `${source.whose} `}escalate`,
    rule,
    ESCALATE,
    nearest,
    source.code,
  );
  const { evaluator, below, to } = rule;
  if (typeof evaluator !== 'string' || evaluator === '')
    throw refusal(source, `evaluator cannot be ${shown(evaluator)}: name an evaluator, such as "validators".`);
  if (below !== undefined && !(typeof below === 'number' && below >= 0 && below <= 1))
    throw refusal(source, `below is ${shown(below)}, but scores go from 0 to 1: give a number such as 0.7.`);
  if (!Array.isArray(to) || to.length === 0 || !to.every((rung) => typeof rung === 'string' && rung !== ''))
    throw refusal(source, 'to must be a list of tiers or models that answer next, such as ["premium"].');
}

/** @param message begins with the field of the rule */
export const refusal = (source: RuleSource, message: string): PolyphonyError => whole(source, `escalate.${message}`);

const whole = ({ whose, code }: RuleSource, message: string): PolyphonyError =>
  new PolyphonyError(code, `${whose === undefined ? '' : `${whose} `}${message}`);
