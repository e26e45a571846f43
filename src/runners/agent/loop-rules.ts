/** What a node says of the loop in which its model calls tools: read and checked before the first call is paid. */
import { PolyphonyError } from '../../core/errors.ts';
import { type NanoUsd, usdToNano } from '../../core/money/money.ts';
import type { NodeCall } from '../../core/run/engine.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { shownJson } from '../../language/shown.ts';
import { invalidInput, numberInput } from '../inputs.ts';

export interface LoopRules {
  /** Rounds in which the model may call tools. */
  readonly rounds: number;
  /** The tool whose call ends the loop. @default none */
  readonly stopWhen?: string;
  /** Tools whose calls a person approves. */
  readonly approve: ReadonlySet<string>;
  readonly limits: ReadonlyMap<string, ToolLimit>;
  readonly keepsTranscript: boolean;
}

/** What the calls of one tool may be, in one run of its node. */
export interface ToolLimit {
  readonly calls?: number;
  readonly nanoUsd?: NanoUsd;
}

/** Rounds of a node that says nothing about it, and the most that one may ask for. */
const ROUNDS = { own: 8, most: 20 } as const;

const NO_NAMES: ReadonlySet<string> = new Set();
const NO_LIMITS: ReadonlyMap<string, ToolLimit> = new Map();

/** The name of a tool without the prefix that it has as a step. */
export const bareName = (name: string): string => (name.startsWith('tool:') ? name.slice('tool:'.length) : name);

/**
 * @param names of the tools that the model may be offered
 * @throws invalid-request for a rule that cannot be kept, such as approval for a tool that the node does not have
 */
export function loopRules(
  call: NodeCall,
  names: ReadonlySet<string>,
  bounds: { readonly toolRounds?: number; readonly mostToolRounds?: number } = {},
): LoopRules {
  const { stopWhen, approve, toolLimits, transcript } = call.inputs;
  return {
    rounds: roundsOf(call, bounds),
    ...(isAbsent(stopWhen) ? {} : { stopWhen: knownTool(call, 'stopWhen', stopWhen, names) }),
    approve: isAbsent(approve) ? NO_NAMES : approvedOf(call, approve, names),
    limits: isAbsent(toolLimits) ? NO_LIMITS : limitsOf(call, toolLimits, names),
    keepsTranscript: transcript === true,
  };
}

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

function roundsOf(
  call: NodeCall,
  { toolRounds = ROUNDS.own, mostToolRounds: most = ROUNDS.most }: NonNullable<Parameters<typeof loopRules>[2]>,
): number {
  const asked = numberInput(call, 'rounds');
  if (asked === undefined) return Math.min(toolRounds, most);
  if (Number.isInteger(asked) && asked >= 1 && asked <= most) return asked;
  throw invalidInput(call, 'rounds', `a whole number from 1 to ${most} (bounds.toolRounds)`);
}

function approvedOf(call: NodeCall, given: unknown, names: ReadonlySet<string>): ReadonlySet<string> {
  if (!Array.isArray(given)) throw invalidInput(call, 'approve', 'a list of names of tools');
  return new Set(given.map((name: unknown) => knownTool(call, 'approve', name, names)));
}

function limitsOf(call: NodeCall, given: unknown, names: ReadonlySet<string>): ReadonlyMap<string, ToolLimit> {
  const rule = 'an object such as { "search": { "calls": 5, "usd": 0.01 } }';
  if (!isPlainObject(given)) throw invalidInput(call, 'toolLimits', rule);
  return new Map(
    Object.entries(given).map(([name, limit]) => {
      const { calls, usd } = isPlainObject(limit) ? limit : { calls: limit, usd: undefined };
      const isCount = isAbsent(calls) || (typeof calls === 'number' && Number.isInteger(calls) && calls >= 0);
      const isMoney = isAbsent(usd) || (typeof usd === 'number' && Number.isFinite(usd) && usd >= 0);
      if (!isCount || !isMoney) throw invalidInput(call, 'toolLimits', rule);
      const known = knownTool(call, 'toolLimits', name, names);
      return [known, { ...(isAbsent(calls) ? {} : { calls }), ...(isAbsent(usd) ? {} : { nanoUsd: usdToNano(usd) }) }];
    }),
  );
}

/** A misspelt name would let a call go without the rule that was meant for it. */
function knownTool(call: NodeCall, field: string, given: unknown, names: ReadonlySet<string>): string {
  const name = typeof given === 'string' ? bareName(given) : undefined;
  if (name !== undefined && names.has(name)) return name;
  const known = [...names].join(', ');
  const remedy = known === '' ? 'name it in "tools" too' : `use one of ${known}, or name it in "tools" too`;
  throw new PolyphonyError(
    'invalid-request',
    `Node ${call.node.id} names ${shownJson(given)} in "${field}", which is none of its tools: ${remedy}.`,
  );
}
