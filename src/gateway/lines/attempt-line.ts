/**
 * One log line for each attempt that was sent: what it cost, where its time went, how it ended, and why its target was asked. It has
 * no text of a request, an answer or an error, because those may hold what nobody wants in a log.
 */
import type { Config } from '../../core/config.ts';
import { defined } from '../../core/defined.ts';
import { asPolyphonyError } from '../../core/errors.ts';
import type { Attempt, AttemptRecord, ScopeKind } from '../../core/model/model.ts';
import type { Logger } from '../../core/plugin.ts';
import { scrubText } from '../../core/scrub.ts';
import type { StreamEnding } from '../../kit/streams/observe.ts';
import type { AttemptState } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import { nameOf } from '../calls/target.ts';
import { whyOf } from './why.ts';

export type AttemptLine = (attempt: Attempt, state: AttemptState, record: AttemptRecord, ending: StreamEnding) => void;

export interface LineParts {
  readonly logger: Logger | undefined;
  readonly config: () => Config;
}

/** Undefined without a logger. Nothing is made where the config or the logger does not want the line. */
export function attemptLines({ logger, config }: LineParts): AttemptLine | undefined {
  if (logger === undefined) return undefined;
  return (attempt, state, record, ending) => {
    const level = config().log?.attempts ?? 'debug';
    if (level === 'off' || logger.isLevelEnabled?.(level) === false) return;
    logger[level](fieldsOf(attempt, state, record), messageOf(attempt, record, ending));
  };
}

function fieldsOf(attempt: Attempt, state: AttemptState, record: AttemptRecord): object {
  const { id, number, request, purpose, target, requestId } = attempt;
  return {
    call: id,
    attempt: number,
    operation: request.operation,
    purpose,
    target: nameOf(target),
    ...whyOf(attempt, state),
    outcome: record.outcome,
    ...defined({
      code: record.error?.code,
      credential: target.credential,
      run: scopeOf(attempt, 'run'),
      node: scopeOf(attempt, 'node'),
      requestId: requestId === undefined ? undefined : scrubText(requestId),
      endpointRequestId: record.requestId,
    }),
    queueMs: record.queueMs,
    networkMs: record.networkMs ?? null,
    firstTokenMs: record.firstTokenMs,
    totalMs: record.totalMs,
    tokens: record.usage,
    costNanoUsd: record.costNanoUsd,
    ...(record.estimated === true ? { estimated: true } : {}),
  };
}

const scopeOf = ({ scopes }: Attempt, kind: ScopeKind): string | undefined =>
  scopes.findLast((scope) => scope.kind === kind)?.id;

function messageOf(attempt: Attempt, { outcome }: AttemptRecord, ending: StreamEnding): string {
  if (outcome === 'ok') return 'attempt answered';
  if (outcome === 'error') return 'attempt failed';
  if (ending.kind === 'left') return 'attempt left by its reader';
  const isLost = ending.kind === 'error' && faultOf(attempt, asPolyphonyError(ending.error)) === 'lost-hedge';
  return isLost ? 'attempt cancelled: another target spoke first' : 'attempt cancelled';
}
