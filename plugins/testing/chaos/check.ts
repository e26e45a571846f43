/** Whether the rules say what can be injected: a fault that never happens would pass for a provider that holds. */
import { PolyphonyError } from 'polyphony/kit';
import type { ChaosFault, FaultPlace } from './faults.ts';
import type { ChaosRule } from './rules.ts';

const TYPES: Readonly<Record<ChaosFault['type'], true>> = {
  latency: true,
  status: true,
  reset: true,
  stall: true,
  cut: true,
  malformed: true,
  'wrong-types': true,
  drip: true,
};

/** @throws invalid-config naming the rule and its field */
export function checkRules(rules: readonly ChaosRule[], seed: number | undefined): void {
  if (!Array.isArray(rules) || rules.length === 0) {
    throw new PolyphonyError('invalid-config', 'chaos: rules is empty; give at least one rule with a fault.');
  }
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw wrong('seed', seed, 'a whole number');
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
  const { share, most, fault } = rule;
  // A misspelt condition would match every attempt.
  for (const name in rule) if (!Object.hasOwn(FIELDS, name)) throw unknownField(`${at}.${name}`);
  if (share !== undefined && !(share >= 0 && share <= 1)) throw wrong(`${at}.share`, share, 'a number from 0 to 1');
  if (most !== undefined) assertWhole(`${at}.most`, most, 0);
  if (typeof fault !== 'object' || fault === null || !Object.hasOwn(TYPES, fault.type)) {
    throw wrong(`${at}.fault.type`, fault?.type, `one of ${Object.keys(TYPES).join(', ')}`);
  }
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

const unknownField = (field: string): PolyphonyError =>
  new PolyphonyError('invalid-config', `chaos: ${field} is no field; give some of ${Object.keys(FIELDS).join(', ')}.`);

const wrong = (field: string, value: unknown, rule: string): PolyphonyError =>
  new PolyphonyError('invalid-config', `chaos: ${field} is ${JSON.stringify(value) ?? String(value)}; give ${rule}.`);
