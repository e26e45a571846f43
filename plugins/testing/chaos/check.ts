/** Whether the rules say what can be injected: a fault that never happens would pass for a provider that holds. */
import { PolyphonyError, type Purpose } from 'polyphony/kit';
import type { ChaosFault, FaultPlace } from './faults.ts';
import type { ChaosRule } from './rules.ts';

/** The fields of each fault beside its type. */
const FAULTS: { readonly [Type in ChaosFault['type']]: readonly FieldOf<Type>[] } = {
  latency: ['ms'],
  status: ['status', 'retryAfterMs'],
  reset: ['at'],
  stall: ['at'],
  cut: ['at'],
  malformed: ['event'],
  'wrong-types': ['event', 'fields'],
  drip: ['bytes', 'everyMs'],
};
type FieldOf<Type> = Exclude<keyof Extract<ChaosFault, { readonly type: Type }>, 'type'>;

const PURPOSES: Readonly<Record<Purpose, true>> = {
  answer: true,
  planner: true,
  judge: true,
  moderation: true,
  embedding: true,
  probe: true,
};

interface Given {
  readonly rules: readonly ChaosRule[];
  readonly seed?: number;
  readonly onFault?: unknown;
}

/** @throws invalid-config naming the rule and its field */
export function checkOptions({ rules, seed, onFault, ...others }: Given): void {
  for (const name in others) throw unknownField(name, ['rules', 'seed', 'onFault']);
  if (!Array.isArray(rules) || rules.length === 0) {
    throw new PolyphonyError('invalid-config', 'chaos: rules is empty; give at least one rule with a fault.');
  }
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw wrong('seed', seed, 'a whole number');
  if (onFault !== undefined && typeof onFault !== 'function') throw wrong('onFault', onFault, 'a function');
  for (const [index, rule] of rules.entries()) checkRule(rule, `rules[${index}]`);
}

const FIELDS: Readonly<Record<keyof ChaosRule, true>> = {
  provider: true,
  model: true,
  node: true,
  purpose: true,
  share: true,
  most: true,
  fault: true,
};

function checkRule(rule: ChaosRule, at: string): void {
  if (typeof rule !== 'object' || rule === null) throw wrong(at, rule, 'a rule, such as { fault: { type: "reset" } }');
  const { share, most, fault, purpose } = rule;
  // A misspelt condition would match every attempt, or none.
  for (const name in rule) if (!Object.hasOwn(FIELDS, name)) throw unknownField(`${at}.${name}`, Object.keys(FIELDS));
  for (const name of ['provider', 'model', 'node'] as const)
    if (rule[name] !== undefined && typeof rule[name] !== 'string') throw wrong(`${at}.${name}`, rule[name], 'a text');
  if (purpose !== undefined && !Object.hasOwn(PURPOSES, purpose))
    throw wrong(`${at}.purpose`, purpose, `one of ${Object.keys(PURPOSES).join(', ')}`);
  if (share !== undefined && !(share >= 0 && share <= 1)) throw wrong(`${at}.share`, share, 'a number from 0 to 1');
  if (most !== undefined) assertWhole(`${at}.most`, most, 0);
  if (typeof fault !== 'object' || fault === null || !Object.hasOwn(FAULTS, fault.type)) {
    throw wrong(`${at}.fault.type`, fault?.type, `one of ${Object.keys(FAULTS).join(', ')}`);
  }
  const known: readonly string[] = FAULTS[fault.type];
  for (const name in fault)
    if (name !== 'type' && !known.includes(name)) throw unknownField(`${at}.fault.${name}`, ['type', ...known]);
  checkFault(fault, `${at}.fault`);
}

function checkFault(fault: ChaosFault, at: string): void {
  switch (fault.type) {
    case 'latency':
      assertMs(`${at}.ms`, fault.ms);
      break;
    case 'status':
      if (!Number.isInteger(fault.status) || fault.status < 400 || fault.status > 599)
        throw wrong(`${at}.status`, fault.status, 'a status from 400 to 599');
      if (fault.retryAfterMs !== undefined) assertMs(`${at}.retryAfterMs`, fault.retryAfterMs);
      break;
    case 'reset':
    case 'stall':
      if (fault.at !== undefined) assertPlace(`${at}.at`, fault.at);
      break;
    case 'cut':
      assertPlace(`${at}.at`, fault.at);
      break;
    case 'malformed':
    case 'wrong-types':
      if (fault.event !== undefined) assertWhole(`${at}.event`, fault.event, 1);
      if ('fields' in fault && fault.fields !== undefined && !isTexts(fault.fields))
        throw wrong(`${at}.fields`, fault.fields, 'a list of names');
      break;
    case 'drip':
      assertWhole(`${at}.bytes`, fault.bytes, 1);
      assertMs(`${at}.everyMs`, fault.everyMs);
  }
}

function assertPlace(field: string, place: FaultPlace): void {
  if (typeof place !== 'object' || place === null) throw wrong(field, place, '{ bytes } or { events }');
  if ('bytes' in place && 'events' in place) throw wrong(field, place, 'either { bytes } or { events }');
  if ('bytes' in place) assertWhole(`${field}.bytes`, place.bytes, 0);
  else assertWhole(`${field}.events`, place.events, 0);
}

function assertWhole(field: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) throw wrong(field, value, `a whole number from ${least} on`);
}

function assertMs(field: string, ms: number): void {
  if (!(ms >= 0) || ms === Number.POSITIVE_INFINITY) throw wrong(field, ms, 'milliseconds from 0 on');
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'string');

const unknownField = (field: string, known: readonly string[]): PolyphonyError =>
  new PolyphonyError('invalid-config', `chaos: ${field} is no field; give some of ${known.join(', ')}.`);

const wrong = (field: string, value: unknown, rule: string): PolyphonyError =>
  new PolyphonyError('invalid-config', `chaos: ${field} is ${JSON.stringify(value) ?? String(value)}; give ${rule}.`);
