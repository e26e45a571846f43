/** Every scenario by its name. */
import type { Scenario } from '../scenario.ts';
import { ANSWERS } from './answers.ts';
import { BODIES } from './bodies.ts';
import { CALLERS } from './callers.ts';
import { EVERY_WIRE } from './every-wire.ts';
import { MANY } from './many.ts';
import { REFUSALS } from './refusals.ts';
import { RUNS } from './runs.ts';

const all = [...EVERY_WIRE, ...REFUSALS, ...BODIES, ...ANSWERS, ...CALLERS, ...MANY, ...RUNS];

export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map(all.map((scenario) => [scenario.name, scenario]));
