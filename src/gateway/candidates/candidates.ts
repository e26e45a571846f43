/**
 * Models that are tried in the place of another (`candidates` of the config): which calls they get, what is observed of both, and
 * what a program may say of it.
 *
 * T1. A call takes part if its first choice is the model `of`, or would be the candidate of the same tier where the request names neither
 *     model nor route: scores that are reported change who comes first, and must not end the comparison. A request that pins a
 *     model by its own name, or whose layers give an order, takes no part. A call of a session is always on the side of the session: that of the
 *     target to which it is bound.
 * T2. A candidate that cannot serve the request is not asked, and the call then counts for neither side. It falls back to the
 *     model that it stands beside.
 * T3. What is counted and decided is kept in the key-value store (kept-trial.ts): all processes with the same store have one trial, of
 *     which one of them concludes, and says so, once.
 */
import type { CandidateConfig, Config } from '../../core/config.ts';
import type { CandidateReport } from '../../core/gateway/candidates.ts';
import { canonicalJson } from '../../core/json/canonical-json.ts';
import type { Call, FinishEvent, Handler } from '../../core/model/model.ts';
import type { Logger } from '../../core/plugin.ts';
import type { KeyValueStore } from '../../core/stores.ts';
import { observe } from '../../kit/streams/observe.ts';
import { settlesWithin } from '../../system/clock.ts';
import { needsOf } from '../calls/requirements.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import type { Trial } from '../routing/arrangement/arrange.ts';
import type { Deployment } from '../routing/registry.ts';
import type { Side } from './figures.ts';
import { createMirror, type MirrorParts } from './mirror.ts';
import { CandidateTrial } from './trial.ts';
import { assertState, unknownCandidate } from './unknown-candidate.ts';

/** A call on one side of a trial. */
interface Placed {
  readonly trial: CandidateTrial;
  readonly side: Side;
}

export interface Candidates {
  /** For routing; undefined where the call takes part in none. */
  trialOf(call: Call): Trial | undefined;
  /** The router, observed where the config has candidates. */
  watched(router: Handler): Handler;
  /** The same for whoever only asks: what was decided, and no side of those that are tried. */
  explainedOf(call: Call): Trial | undefined;
  notes(deployment: Deployment): readonly string[];
  /** The name of the model that is tried in the place of this one, or has taken it. */
  besideOf(deployment: Deployment): string | undefined;
  score(callId: string, score: number): void;
  reports(): readonly CandidateReport[];
  /** @throws invalid-request for a name that the config does not have */
  decide(name: string, state: 'promoted' | 'dismissed' | 'trying'): void;
  /** Reads what earlier processes counted and decided. Never rejects. */
  recall(): Promise<void>;
  close(): Promise<unknown>;
}

interface CandidateParts extends MirrorParts {
  readonly config: () => Config;
  readonly events: GatewayEvents;
  readonly keyValue: KeyValueStore;
  readonly logger: Logger | undefined;
}

const MAX_CALLS = 4096;
/** What a store has not written by then is lost. */
const CLOSE_MS = 5000;

export function createCandidates(parts: CandidateParts): Candidates {
  const { config, registry } = parts;
  const { clock } = parts.runtime;
  const trials = new Map<string, CandidateTrial>();
  const placed = new WeakMap<Call, Placed>();
  const recent = new Map<string, Placed>();
  /** Of trials whose rule has changed. */
  const left = new Set<Promise<void>>();
  const mirror = createMirror(parts);
  const leave = (trial: CandidateTrial): void => {
    const written = trial.settled().finally(() => left.delete(written));
    left.add(written);
  };
  const trialFor = (name: string, given: CandidateConfig): CandidateTrial => {
    const known = trials.get(name);
    if (known !== undefined && (known.config === given || canonicalJson(known.config) === canonicalJson(given))) {
      // A config that is read again is equal and another object, which is compared only once.
      known.config = given;
      return known;
    }
    const made = new CandidateTrial(name, given, parts);
    if (known !== undefined) leave(known);
    // What was observed goes with its rule, so that each comparison has one rule.
    trials.set(name, made);
    return made;
  };
  const all = (): readonly CandidateTrial[] =>
    Object.entries(config().candidates ?? {}).map(([name, given]) => trialFor(name, given));
  const besides = (first: Deployment): CandidateTrial | undefined =>
    all().find(({ config: { of } }) =>
      registry()
        .named(of)
        .some((one) => isSameModel(one, first)),
    );
  const withCandidate = (first: Deployment): CandidateTrial | undefined =>
    all().find(
      ({ config: { of, model } }) =>
        registry()
          .named(model)
          .some((one) => isSameModel(one, first)) &&
        registry()
          .named(of)
          .some(({ card }) => card.tier === first.card.tier),
    );
  const sideAt = ({ config: { model } }: CandidateTrial, first: Deployment): Side =>
    registry()
      .named(model)
      .some((one) => isSameModel(one, first))
      ? 'candidate'
      : 'current';
  const remember = (callId: string, place: Placed): void => {
    const [oldest] = recent.keys();
    if (recent.size >= MAX_CALLS && oldest !== undefined) recent.delete(oldest);
    recent.set(callId, place);
  };
  const end = (call: Call, finish: FinishEvent | undefined, router: Handler): void => {
    const place = placed.get(call);
    if (place === undefined || !wasAsked(place, call, registry)) return;
    place.trial.record(place.side, answeredBy(place, call, registry) ? finish : undefined);
    remember(call.id, place);
    if (finish !== undefined && place.side === 'current' && place.trial.isMirrored(call.id))
      mirror.repeat(place.trial, call, router);
  };
  /** The trial that a first choice of the call is part of; undefined where the call takes part in none. */
  const partIn = (call: Call): ((first: Deployment) => CandidateTrial | undefined) | undefined => {
    if (config().candidates === undefined || call.purpose !== 'answer' || isPinned(call, parts)) return undefined;
    const { id, route } = needsOf(call.request).choice;
    const isFree = id === undefined && route === undefined;
    return (first) => besides(first) ?? (isFree ? withCandidate(first) : undefined);
  };
  return {
    trialOf(call) {
      const trialAt = partIn(call);
      return (
        trialAt &&
        ((first, isBound) => {
          const trial = trialAt(first);
          if (trial?.state !== 'trying') return decidedFor(trial, isBound);
          const place: Placed = { trial, side: isBound ? sideAt(trial, first) : trial.sideOf(call.session ?? call.id) };
          placed.set(call, place);
          return isBound ? undefined : modelOf(place);
        })
      );
    },
    explainedOf(call) {
      const trialAt = partIn(call);
      return trialAt && ((first, isBound) => decidedFor(trialAt(first), isBound));
    },
    watched: (router) => (call) =>
      config().candidates === undefined || call.purpose !== 'answer'
        ? router(call)
        : observed(call, router, (finish) => end(call, finish, router)),
    notes(deployment) {
      const trial = config().candidates === undefined ? undefined : besides(deployment);
      if (trial === undefined || trial.state !== 'trying') return [];
      const { model, share = 0 } = trial.config;
      return [`gives ${share * 100} % of its calls to the candidate "${trial.name}", ${model}`];
    },
    besideOf(deployment) {
      const trial = config().candidates === undefined ? undefined : besides(deployment);
      return trial === undefined || trial.state === 'dismissed' ? undefined : trial.config.model;
    },
    score(callId, score) {
      const place = recent.get(callId);
      place?.trial.score(place.side, score);
    },
    reports() {
      const tried = all();
      for (const trial of tried) trial.refresh();
      return tried.map((trial) => trial.report());
    },
    recall: async () => void (await Promise.all(all().map((trial) => trial.settled()))),
    decide(name, state) {
      const trial = all().find((one) => one.name === name);
      if (trial === undefined) throw unknownCandidate(name, Object.keys(config().candidates ?? {}));
      assertState(state);
      trial.become(state);
    },
    async close() {
      await mirror.close();
      const written = Promise.all([...[...trials.values()].map((trial) => trial.settled()), ...left]);
      await settlesWithin(clock, CLOSE_MS, written);
    },
  };
}

/** The ending is told after the stream has ended; a reader that leaves says nothing of the answer. */
function observed(call: Call, router: Handler, ended: (finish: FinishEvent | undefined) => void): ReturnType<Handler> {
  let finish: FinishEvent | undefined;
  return observe({
    open: () => router(call),
    event(event) {
      if (event.type === 'finish') finish = event;
      return event;
    },
    end(ending) {
      if (ending.kind === 'done' || (ending.kind === 'error' && !call.signal.aborted)) {
        ended(ending.kind === 'done' ? finish : undefined);
      }
      return ending;
    },
  });
}

const isSameModel = ({ target }: Pick<Deployment, 'target'>, other: Pick<Deployment, 'target'>): boolean =>
  target.provider === other.target.provider && target.model === other.target.model;

/** Whoever names a model itself means that model; an alias of the config or of a card, a tier or a route leaves the choice. */
function isPinned({ request, order }: Call, { registry }: CandidateParts): boolean {
  if (order !== undefined) return true;
  const { id } = needsOf(request).choice;
  if (id === undefined || registry().meant(id) !== id) return false;
  return registry()
    .named(id)
    .some(({ target }) => id === target.model || id === `${target.provider}/${target.model}`);
}

/** A session keeps the model beside which another was promoted until it ends, and leaves one that was dismissed. */
function decidedFor(trial: CandidateTrial | undefined, isBound: boolean): string | undefined {
  if (trial === undefined || trial.state === 'trying') return undefined;
  if (trial.state === 'dismissed') return trial.config.of;
  return isBound ? undefined : trial.config.model;
}

const modelOf = ({ trial, side }: Placed): string => (side === 'current' ? trial.config.of : trial.config.model);

const attemptsOf = (call: Call) => call.trace.attempts.filter(({ key }) => key.startsWith(`${call.id}/`));

function wasAsked(place: Placed, call: Call, registry: CandidateParts['registry']): boolean {
  const own = registry().named(modelOf(place));
  return attemptsOf(call).some((attempt) => own.some((one) => isSameModel(one, attempt)));
}

function answeredBy(place: Placed, call: Call, registry: CandidateParts['registry']): boolean {
  const last = attemptsOf(call).at(-1);
  return (
    last?.outcome === 'ok' &&
    registry()
      .named(modelOf(place))
      .some((one) => isSameModel(one, last))
  );
}
