/** One candidate of the config: its share of the calls, what was observed of both sides, and what follows from it. */
import type { CandidateConfig } from '../../core/config.ts';
import type { CandidateReport, CandidateVerdict } from '../../core/gateway/candidates.ts';
import type { FinishEvent } from '../../core/model/model.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import { type Arm, add, type ComparisonRule, emptyArm, lookAt, shownArm, UNDECIDED, verdictOf } from './comparison.ts';

export type Side = 'current' | 'candidate';
export type TrialState = CandidateReport['state'];

const RULE: ComparisonRule = { samples: 200, confidence: 0.95, margin: 0.05 };

export class CandidateTrial {
  readonly name: string;
  config: CandidateConfig;
  state: TrialState = 'trying';
  mirrored = 0;
  notMirrored = 0;
  readonly #events: GatewayEvents;
  readonly #changed: (trial: CandidateTrial) => void;
  readonly #arms: Readonly<Record<Side, Arm>> = { current: emptyArm(), candidate: emptyArm() };
  #look = 1;
  #verdict: CandidateVerdict = UNDECIDED;

  /** @param changed is told when its state is another one */
  constructor(name: string, config: CandidateConfig, events: GatewayEvents, changed: (trial: CandidateTrial) => void) {
    this.name = name;
    this.config = config;
    this.#events = events;
    this.#changed = changed;
  }

  /** The same key, such as a session, is always on the same side. */
  sideOf(key: string): Side {
    return uniform(`${this.name}:${key}`) < (this.config.share ?? 0) ? 'candidate' : 'current';
  }

  isMirrored(key: string): boolean {
    return this.state === 'trying' && uniform(`mirror:${this.name}:${key}`) < (this.config.mirror ?? 0);
  }

  /** A call of this side has ended; without `finish` it failed to answer. */
  record(side: Side, finish: FinishEvent | undefined): void {
    const arm = this.#arms[side];
    arm.calls += 1;
    if (finish === undefined) arm.failures += 1;
    else {
      if (finish.refusal !== undefined || finish.reason === 'content-filter') arm.refusals += 1;
      add(arm.outputTokens, finish.usage.output);
    }
    this.#judge();
  }

  score(side: Side, score: number): void {
    add(this.#arms[side].scores, score);
  }

  become(state: TrialState, by: 'hand' | 'rule'): void {
    if (this.state === state) return;
    this.state = state;
    const { name: candidate } = this;
    const { of, model } = this.config;
    if (state === 'promoted') {
      const message = `The candidate "${candidate}" is promoted: ${model} answers the calls of ${of}.`;
      this.#events.tell({ type: 'candidate-promoted', level: 'warn', candidate, by, message });
    } else if (state === 'dismissed') {
      const message = `The candidate "${candidate}" is dismissed: ${model} gets no calls of ${of}.`;
      this.#events.tell({ type: 'candidate-dismissed', level: 'warn', candidate, by, message });
    }
    this.#changed(this);
  }

  report(): CandidateReport {
    const { name, config, state, mirrored, notMirrored } = this;
    const { of, model } = config;
    const arms = { current: shownArm(this.#arms.current), candidate: shownArm(this.#arms.candidate) };
    return { candidate: name, of, model, state, arms, verdict: this.#verdict, mirrored, notMirrored };
  }

  #judge(): void {
    const { current, candidate } = this.#arms;
    if (this.state !== 'trying') return;
    const { samples = RULE.samples, confidence = RULE.confidence, margin = RULE.margin } = this.config;
    const rule: ComparisonRule = { samples, confidence, margin };
    if (Math.min(current.calls, candidate.calls) < lookAt(this.#look, rule)) return;
    const verdict = verdictOf(current, candidate, this.#look, rule);
    this.#look += 1;
    this.#verdict = verdict;
    if (verdict.result === 'undecided') return;
    const { name } = this;
    const message = `The candidate "${name}" is ${verdict.result}, with a confidence of ${verdict.confidence.toFixed(4)}.`;
    this.#events.tell({ type: 'candidate-judged', level: 'info', candidate: name, verdict, message });
    this.#follow(verdict);
  }

  #follow({ result }: CandidateVerdict): void {
    const { promote = 'never' } = this.config;
    if (promote === 'never') return;
    if (result === 'worse') this.become('dismissed', 'rule');
    else if (result === 'better' || promote === result) this.become('promoted', 'rule');
  }
}

/** 0 to 1 from a text: FNV-1a, then the last step of murmur3, because the former alone leaves like ends alike. */
function uniform(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4_294_967_296;
}
