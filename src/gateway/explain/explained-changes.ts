/** What `explain` says of a candidate: how the request would be changed for it. */
import type { Config } from '../../core/config.ts';
import type { Candidate } from '../../core/gateway.ts';
import type { ModelRequest } from '../../core/model/model.ts';
import { adaptationsOf } from '../attempt-ring/adapt.ts';
import { fallbackPrompt, fallbackWarning } from '../request-ring/fallback-prompt.ts';
import type { Deployment } from '../routing/registry.ts';

/** @param first the candidate that is tried first: others answer in its place */
export function explainedChanges(
  request: ModelRequest,
  deployment: Deployment,
  first: Deployment | undefined,
  config: Config,
  nowMs: number,
): Pick<Candidate, 'adaptations'> {
  if (request.operation !== 'chat') return {};
  const adaptations = [...adaptationsOf(request, deployment, config, nowMs)];
  if (
    first !== undefined &&
    first !== deployment &&
    fallbackPrompt(config, first.target, deployment.target) !== undefined
  )
    adaptations.push(fallbackWarning(first.target, deployment.target).message);
  return adaptations.length === 0 ? {} : { adaptations };
}
