/** All hostile providers, by name. */
import { together } from '../harness/report.ts';
import { bodies } from './bodies.ts';
import { objects } from './objects.ts';
import type { ProviderCase } from './provider-case.ts';
import { streams } from './streams.ts';
import { usage } from './usage.ts';

export const PROVIDERS = together<ProviderCase>([usage, bodies, streams, objects].flat());
