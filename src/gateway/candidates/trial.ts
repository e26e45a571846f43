/** One candidate of the config: its share of the calls, what was observed of both sides, and what follows from it. */
import type { CandidateConfig } from '../../core/config.ts';
import type { CandidateReport, CandidateVerdict } from '../../core/gateway/candidates.ts';
import type { FinishEvent } from '../../core/model/model.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import { type ComparisonRule, lookAt, shownArm, UNDECIDED, verdictOf } from './comparison.ts';
import { armOf, type Counted, countedCall, countedScore, type Side } from './figures.ts';
import { type KeptParts, KeptTrial, type Look, type TrialState } from './kept-trial.ts';

const RULE: ComparisonRule = { samples: 200, confidence: 0.95, margin: 0.05 };

function ruleOf({ samples, confidence, margin }: CandidateConfig): ComparisonRule {
  return {
    samples: samples ?? RULE.samples,
    confidence: confidence ?? RULE.confidence,
    margin: margin ?? RULE.margin,
  };
}

export interface TrialParts extends KeptParts {
  readonly events: GatewayEvents;
}

export class CandidateTrial {
  readonly name: string;
  config: CandidateConfig;
  #state: TrialState = 'trying';
  readonly #events: GatewayEvents;
  readonly #kept: KeptTrial;
  #verdict: CandidateVerdict = UNDECIDED;

  constructor(name: string, config: CandidateConfig, parts: TrialParts) {
    this.name = name;
    this.config = config;
    this.#events = parts.events;
    this.#kept = new KeptTrial(parts, name, config, {
      mayBeDue: (current, candidate, looks) =>
        this.#state === 'trying' && Math.min(current, candidate) >= lookAt(looks + 1, ruleOf(this.config)),
      due: (counts, looks) => this.#due(counts, looks + 1),
      looked: (look) => this.#looked(look),
      decided: (state) => {
        this.#state = state;
      },
      judged: (verdict) => {
        this.#verdict = verdict;
      },
    });
    this.#kept.refresh();
  }

  get state(): TrialState {
    return this.#state;
  }

  /** The same key, such as a session, is always on the same side. */
  sideOf(key: string): Side {
    return uniform(`${this.name}:${key}`) < (this.config.share ?? 0) ? 'candidate' : 'current';
  }

  isMirrored(key: string): boolean {
    return this.#state === 'trying' && uniform(`mirror:${this.name}:${key}`) < (this.config.mirror ?? 0);
  }

  /** A call of this side has ended; without `finish` it failed to answer. */
  record(side: Side, finish: FinishEvent | undefined): void {
    this.#kept.count(counted(side, finish));
  }

  /** A request was repeated at the candidate, or was not. */
  mirrored(ended: { readonly finish: FinishEvent | undefined } | undefined): void {
    if (ended === undefined) this.#kept.count({ notMirrored: 1 });
    else this.#kept.count({ ...counted('candidate', ended.finish), mirrored: 1 });
  }

  score(side: Side, score: number): void {
    this.#kept.count(countedScore(side, score));
  }

  /** By hand. */
  become(state: TrialState): void {
    if (this.#state !== state) this.#decide(state, 'hand');
    // Also where it is known already: another process may have decided since.
    this.#kept.decide(state);
  }

  /** Reads what other processes counted and decided. */
  refresh(): void {
    this.#kept.refresh();
  }

  settled(): Promise<void> {
    return this.#kept.settled();
  }

  report(): CandidateReport {
    const { name, config } = this;
    const { of, model } = config;
    const { counts } = this.#kept;
    const { mirrored = 0, notMirrored = 0 } = counts;
    const arms = { current: shownArm(armOf(counts, 'current')), candidate: shownArm(armOf(counts, 'candidate')) };
    return { candidate: name, of, model, state: this.#state, arms, verdict: this.#verdict, mirrored, notMirrored };
  }

  /** The look of this number, once there are calls enough for it. */
  #due(counts: Counted, number: number): Look | undefined {
    if (this.#state !== 'trying') return undefined;
    const rule = ruleOf(this.config);
    const [current, candidate] = [armOf(counts, 'current'), armOf(counts, 'candidate')];
    if (Math.min(current.calls, candidate.calls) < lookAt(number, rule)) return undefined;
    const verdict = verdictOf(current, candidate, number, rule);
    return { number, verdict, state: this.#following(verdict) };
  }

  #following({ result }: CandidateVerdict): TrialState | undefined {
    const { promote = 'never' } = this.config;
    if (promote === 'never') return undefined;
    if (result === 'worse') return 'dismissed';
    return result === 'better' || promote === result ? 'promoted' : undefined;
  }

  #looked({ verdict, state }: Look): void {
    this.#verdict = verdict;
    if (verdict.result === 'undecided') return;
    const { name } = this;
    const message = `The candidate "${name}" is ${verdict.result}, with a confidence of ${verdict.confidence.toFixed(4)}.`;
    this.#events.tell({ type: 'candidate-judged', level: 'info', candidate: name, verdict, message });
    if (state !== undefined) this.#decide(state, 'rule');
  }

  #decide(state: TrialState, by: 'hand' | 'rule'): void {
    this.#state = state;
    const { name: candidate } = this;
    const { of, model } = this.config;
    if (state === 'promoted') {
      const message = `The candidate "${candidate}" is promoted: ${model} answers the calls of ${of}.`;
      this.#events.tell({ type: 'candidate-promoted', level: 'warn', candidate, by, message });
    } else if (state === 'dismissed') {
      const message = `The candidate "${candidate}" is dismissed: ${model} gets no calls of ${of}.`;
      this.#events.tell({ type: 'candidate-dismissed', level: 'warn', candidate, by, message });
    }
  }
}

function counted(side: Side, finish: FinishEvent | undefined): Counted {
  const isRefusal = finish?.refusal !== undefined || finish?.reason === 'content-filter';
  return countedCall(side, finish?.usage.output, isRefusal);
}

/** 0 to 1 from a text: FNV-1a, then the last step of murmur3, because the former alone leaves like ends alike. */
function uniform(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4_294_967_296;
}
