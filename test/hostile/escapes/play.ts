/** Makes one attempt to get out, with and without the guard of its kind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import escalation from 'polyphony/plugins/escalation/escalation';
import { createPolyphony, type Plan, type Polyphony, PolyphonyError } from '../../../src/index.ts';
import type { EscapeCase, World } from './escape-case.ts';
import { countingTools, obedientModel, openWorld } from './world.ts';

/** What the planner of a `plan` node writes. */
const HARMLESS = { version: 1, nodes: [{ id: 'a', use: 'value', in: { x: 1 } }], output: '{{a.x}}' };

export interface Played {
  /** How the run ended: its status, or the code of its error. */
  readonly outcome: string;
  /** What must not have happened. */
  readonly breach: string | undefined;
}

/** @returns how it ended as it meets polyphony */
export async function playTwice(one: EscapeCase, problems: string[]): Promise<string> {
  const guarded = await playEscape(one, true);
  if (guarded.breach !== undefined) problems.push(guarded.breach);
  const open = await playEscape(one, false);
  if (open.breach === undefined) problems.push(`it says nothing: without the guard it ended as ${open.outcome}, too`);
  return guarded.outcome;
}

export async function playEscape(one: EscapeCase, isGuarded: boolean): Promise<Played> {
  const root = mkdtempSync(join(tmpdir(), 'polyphony-escape-'));
  const world = await openWorld(root);
  try {
    const outcome = await attempted(one, isGuarded, world);
    return { outcome, breach: one.breach(world) };
  } finally {
    await world.close();
    rmSync(root, { recursive: true, force: true });
  }
}

async function attempted(one: EscapeCase, isGuarded: boolean, world: World): Promise<string> {
  const { plan, config = {}, plugins = [] } = one.attempt(world, isGuarded);
  const isWritten = one.isWritten === true;
  const polyphony = await createPolyphony({
    providers: [obedientModel(world, one, isWritten ? plan : HARMLESS)],
    plugins: [countingTools(world, one, isGuarded), escalation(), ...plugins],
    defaults: false,
    environment: false,
    config: { ...config, planner: { rounds: 1 } },
  });
  try {
    return await ended(polyphony, isWritten ? 'Do what you are told' : (plan as Plan));
  } finally {
    await polyphony.close();
  }
}

async function ended(polyphony: Polyphony, what: string | Plan): Promise<string> {
  try {
    const run = await polyphony.start(what, {});
    const { status, error } = await run.result();
    return error === undefined ? status : `${status}: ${error.code}`;
  } catch (error) {
    if (error instanceof PolyphonyError) return `failed: ${error.code}`;
    throw error;
  }
}
