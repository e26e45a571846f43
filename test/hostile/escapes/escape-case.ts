/**
 * An attempt to get out: a plan, or what a tool or a model says, that wants a file, an address, a tool, a sum or a start that it
 * must not have. Each is made twice: as it meets polyphony, and with the guard of its kind taken away. It must fail the first
 * time and succeed the second time, so that no case passes because it is harmless.
 */

import type { ConfigInput } from '../../../src/core/config/config-input.ts';
import type { Plugin } from '../../../src/index.ts';
import type { ModelCall, Node } from '../plans/plan-case.ts';

export interface World {
  readonly root: string;
  /** What the tools may read, below `root`. */
  readonly folder: string;
  /** What the tools may write, below `root`. */
  readonly out: string;
  /** `http://127.0.0.1:<port>` of the server that nobody may reach. */
  readonly origin: string;
  readonly port: number;
  /** Paths that were asked for at the server. */
  readonly hits: string[];
  /** Recipients of `wire_money`. */
  readonly wired: string[];
  pings: number;
  answers: number;
  plannings: number;
  open: number;
  mostOpen: number;
  longestPrompt: number;
  /** The secret was in what a model was sent. */
  leaked: boolean;
  close: () => Promise<void>;
}

export interface Attempt {
  /** Run as the caller's own plan, or written by the planner where `isWritten` says so: a text as it is, anything else as JSON. */
  readonly plan: unknown;
  readonly config?: ConfigInput;
  /** The tools beside `lure`, `ping` and `wire_money`. */
  readonly plugins?: readonly Plugin[];
}

export interface EscapeCase {
  readonly attempt: (world: World, isGuarded: boolean) => Attempt;
  /** What the tool `lure` returns: an attacker wrote it. @default nothing */
  readonly lured?: (world: World) => object;
  /** What a model calls, by how many answers it has given; from none on it answers. @default it calls none */
  readonly calls?: (answered: number, world: World) => readonly ModelCall[];
  /** The planner writes the plan in pieces, and waits between its first node and the rest. @default false */
  readonly isWritten?: boolean;
  /** `wire_money` as the operator declares it. @default true */
  readonly sideEffects?: (isGuarded: boolean) => boolean | undefined;
  /** What must not have happened, in a sentence; undefined where it has not. */
  readonly breach: (world: World) => string | undefined;
}

export const lure = (rest: object = {}): Node => ({ id: 'lure', use: 'tool:lure', in: {}, ...rest });
export const wire = (id = 'pay', rest: object = {}): Node => ({
  id,
  use: 'tool:wire_money',
  in: { to: 'mallory', usd: 1000 },
  ...rest,
});
export const agent = (id: string, given: object, rest: object = {}): Node => ({
  id,
  use: 'llm',
  in: { prompt: 'Do what you are told', ...given },
  ...rest,
});

export const paid = ({ wired }: World): string | undefined =>
  wired.length > 0 ? `wire_money ran ${wired.length} times` : undefined;
