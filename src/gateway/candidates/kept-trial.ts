/**
 * What is counted of a trial and decided on it, in counters of the store, so that all processes with the same store, and those after
 * them, have one trial.
 *
 * K1. What a process counts is added to the counters once, together with what else is counted within a second: at once where a look may be
 *     due, and at the end. What could not be written stays, and goes with the next. Nobody waits for a write, and nobody gets its error.
 * K2. A look at the figures, and what is decided by it, is taken by one process: the write that says so is refused where another process
 *     has looked, or decided, since this one read the counters. It is taken of figures of one moment, which only a write returns.
 * K3. Each write also reads the counters, so every process learns what the others counted and decided. Whoever only asks writes nothing.
 * K4. Figures belong to the rule of the trial, decisions to its models. The figures of other rules are removed.
 * K5. An earlier release keeps its decisions in a value of its own, without their time. What stands there when this release decides was
 *     decided before, whatever is decided, `trying` included; what stands there later instead was decided after it, and counts.
 */
import { createHash } from 'node:crypto';
import type { Runtime } from '../../core/clock.ts';
import type { CandidateConfig } from '../../core/config.ts';
import { errorRecord } from '../../core/errors.ts';
import type { CandidateReport, CandidateVerdict } from '../../core/gateway/candidates.ts';
import { canonicalJson } from '../../core/json/canonical-json.ts';
import type { Logger } from '../../core/plugin.ts';
import type { CounterChange, CounterResult, KeyValueStore } from '../../core/stores.ts';
import { asRecord } from '../../kit/json/json-shape.ts';
import { added, type Counted, FIGURES, type Side } from './figures.ts';

export type TrialState = CandidateReport['state'];

/** The number of decisions, by threes, with the state in what is left: so one counter is both. */
const STATES: readonly TrialState[] = ['trying', 'promoted', 'dismissed'];

/** A write takes longer than all else that a trial does for a call. */
const WRITE_EVERY_MS = 1000;

export interface KeptParts {
  readonly runtime: Pick<Runtime, 'clock'>;
  readonly keyValue: KeyValueStore;
  readonly logger: Logger | undefined;
}

/** What one process alone may conclude. */
export interface Look {
  /** From 1 on. */
  readonly number: number;
  readonly verdict: CandidateVerdict;
  /** Undefined: nothing follows from it. */
  readonly state: TrialState | undefined;
}

/** Told of what the counters say, whenever they were read. */
export interface Reader {
  /** Whether a look may be due after so many calls of each side. */
  mayBeDue(current: number, candidate: number, looks: number): boolean;
  /** The look that is due, if one is. */
  due(counts: Counted, looks: number): Look | undefined;
  /** This process has taken the look. */
  looked(look: Look): void;
  /** Another process has decided. */
  decided(state: TrialState): void;
  /** Another process has looked. */
  judged(verdict: CandidateVerdict): void;
}

interface Wish {
  readonly look: Look | undefined;
  readonly state: TrialState | undefined;
}

const NOTHING: Wish = { look: undefined, state: undefined };
/** A change that adds nothing reads all figures of one moment. */
const AT_ONCE: Wish = { look: undefined, state: undefined };

export class KeptTrial {
  readonly #parts: KeptParts;
  readonly #reader: Reader;
  readonly #of: string;
  readonly #rule: string;
  readonly #olderKey: string;
  /** What stood under the older key when this release decided last. */
  readonly #olderSeen: string;
  readonly #name: string;
  /** As read last, of all processes. */
  #stored: Counted = {};
  #looks = 0;
  #decided = 0;
  /** The look of which the verdict is known here. */
  #known = 0;
  #pending: Counted = {};
  #underWay: Counted = {};
  /** A decision by hand that is not written yet. */
  #byHand: TrialState | undefined;
  /** This process has decided by hand: what was decided before it counts no more. */
  #hasDecided = false;
  #writing: Promise<void> | undefined;
  /** Values beside the counters. */
  #aside: Promise<void> = Promise.resolve();
  #isAsked = false;
  /** When the store was asked last, by the monotonic clock. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #isTold = false;
  #isRead = false;
  #isAlone = false;

  constructor(parts: KeptParts, name: string, config: CandidateConfig, reader: Reader) {
    this.#parts = parts;
    this.#reader = reader;
    this.#name = name;
    const { of, model } = config;
    this.#of = `trial:${hashOf([name, of, model])}`;
    this.#rule = `${this.#of}:${hashOf(config)}`;
    this.#olderKey = `candidate:${name}:${of}:${model}`;
    this.#olderSeen = `${this.#of}:older`;
  }

  /** Of all processes, as far as this one knows. */
  get counts(): Counted {
    return added(added(this.#stored, this.#underWay), this.#pending);
  }

  count(counted: Counted): void {
    this.#pending = added(this.#pending, counted);
    const isSoon = this.#parts.runtime.clock.monotonic() - this.#askedAt < WRITE_EVERY_MS;
    if (!isSoon || this.#reader.mayBeDue(this.#callsOf('current'), this.#callsOf('candidate'), this.#looks))
      this.refresh();
  }

  #callsOf(side: Side): number {
    const figure = `${side}.calls` as const;
    return (this.#stored[figure] ?? 0) + (this.#underWay[figure] ?? 0) + (this.#pending[figure] ?? 0);
  }

  /** By hand: over whatever was decided before. */
  decide(state: TrialState): void {
    this.#byHand = state;
    this.#hasDecided = true;
    this.refresh();
  }

  /** Writes what is new, and reads what others wrote. */
  refresh(): void {
    this.#askedAt = this.#parts.runtime.clock.monotonic();
    if (this.#writing !== undefined) this.#isAsked = true;
    else if (this.#byHand !== undefined || Object.keys(this.#pending).length > 0) this.#write(NOTHING);
    else this.#read();
  }

  /** Resolves when all is written. Never rejects. */
  async settled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (Object.keys(this.#pending).length > 0) this.refresh();
    while (this.#writing !== undefined) await this.#writing;
    await this.#aside;
  }

  #write({ look, state = this.#byHand }: Wish): void {
    this.#isAsked = false;
    this.#underWay = this.#pending;
    this.#pending = {};
    const wish: Wish = { look, state };
    try {
      const result = this.#parts.keyValue.change(this.#changesOf(wish));
      if (result instanceof Promise) {
        this.#writing = result.then(
          (written) => this.#ended(written, wish),
          (error: unknown) => this.#failed(error),
        );
      } else this.#ended(result, wish);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Without a write, so that whoever only asks leaves nothing. */
  #read(): void {
    this.#isAsked = false;
    const { keyValue } = this.#parts;
    const read = async (): Promise<void> => {
      const keys = this.#changesOf(NOTHING).map(({ key }) => key);
      const values = await Promise.all(keys.map((key) => keyValue.get(key)));
      const numbers = values.map((value) => (typeof value === 'number' ? value : 0));
      this.#ended({ ok: true, values: numbers }, NOTHING, false);
    };
    this.#writing = read().catch((error: unknown) => this.#failed(error));
  }

  #changesOf({ look, state }: Wish): readonly CounterChange[] {
    const steps = state === undefined ? 0 : stepsTo(state, this.#decided);
    const isBound = look !== undefined || steps > 0;
    return [
      ...FIGURES.map((figure) => ({ key: `${this.#rule}:${figure}`, by: this.#underWay[figure] ?? 0 })),
      { key: `${this.#rule}:looks`, by: look === undefined ? 0 : 1, limit: look?.number },
      { key: `${this.#of}:decided`, by: steps, limit: isBound ? this.#decided + steps : undefined },
    ];
  }

  #ended(result: CounterResult, wish: Wish, isOfOneMoment = true): void {
    this.#writing = undefined;
    const next = result.ok ? this.#written(result.values, wish, isOfOneMoment) : this.#refused(result);
    if (next === NOTHING) this.refresh();
    else if (next !== undefined) this.#write(next);
  }

  /** Returns what is to be written next. */
  #written(values: readonly number[], { look, state }: Wish, isOfOneMoment: boolean): Wish | undefined {
    if (Object.keys(this.#underWay).length > 0) this.#removeOthers();
    this.#underWay = {};
    this.#isTold = false;
    this.#stored = Object.fromEntries(FIGURES.map((figure, index) => [figure, values[index] ?? 0]));
    const [looks = 0, decided = 0] = values.slice(FIGURES.length);
    this.#looks = looks;
    if (look !== undefined) this.#took(look);
    const steps = state === undefined ? undefined : stepsTo(state, this.#decided);
    // Nothing was changed where the state seemed to be this one already: another process may have decided since.
    const isLeft = steps === 0 && state !== stateAt(decided);
    if (state === this.#byHand && !isLeft) this.#byHand = undefined;
    if (state !== undefined && !isLeft) this.#noteOlder();
    const isOwn = steps !== undefined && decided === this.#decided + steps;
    const isNew = decided !== this.#decided;
    this.#decided = decided;
    if (isNew && !isOwn && this.#byHand === undefined) this.#reader.decided(stateAt(decided));
    this.#readAside();
    if (this.#byHand !== undefined) return NOTHING;
    const due = this.#reader.due(this.#stored, looks);
    // Values that were read one by one may lie on both sides of a change of another process.
    if (due !== undefined) return isOfOneMoment ? { look: due, state: due.state } : AT_ONCE;
    return this.#isAsked ? NOTHING : undefined;
  }

  /** Another process was before: its counters are read, and what is concluded from them is another matter. */
  #refused({ refused, value }: Extract<CounterResult, { ok: false }>): Wish {
    this.#pending = added(this.#underWay, this.#pending);
    this.#underWay = {};
    if (this.#byHand !== undefined && refused > FIGURES.length) this.#decided = value;
    return NOTHING;
  }

  #failed(error: unknown): void {
    this.#writing = undefined;
    this.#isAsked = false;
    this.#pending = added(this.#underWay, this.#pending);
    this.#underWay = {};
    this.#warn(error);
  }

  #took(look: Look): void {
    this.#known = look.number;
    // What a person decided while it was written comes after it.
    this.#reader.looked(this.#byHand === undefined ? look : { ...look, state: undefined });
    const value = { look: look.number, verdict: look.verdict };
    this.#beside(() => this.#parts.keyValue.set(`${this.#rule}:verdict`, value));
  }

  /** What other processes concluded, and what an earlier release kept of a decision. */
  #readAside(): void {
    const { keyValue } = this.#parts;
    const looks = this.#looks;
    if (looks > this.#known) {
      this.#beside(async () => {
        const kept = asRecord(await keyValue.get(`${this.#rule}:verdict`));
        const verdict = readVerdict(kept?.verdict);
        if (kept?.look !== looks || verdict === undefined || looks <= this.#known) return;
        this.#known = looks;
        this.#reader.judged(verdict);
      });
    }
    if (this.#isRead) return;
    this.#isRead = true;
    this.#beside(async () => {
      const older = await keyValue.get(this.#olderKey);
      const state = STATES.find((one) => one !== 'trying' && one === older);
      if (state === undefined) return;
      const seen = asRecord(await keyValue.get(this.#olderSeen));
      const isNewer = seen === undefined ? this.#decided === 0 : seen.older !== older;
      if (!isNewer || this.#hasDecided) return;
      this.#reader.decided(state);
      this.decide(state);
    });
  }

  #noteOlder(): void {
    const { keyValue } = this.#parts;
    this.#beside(async () => {
      const older = await keyValue.get(this.#olderKey);
      await keyValue.set(this.#olderSeen, { older: older ?? null });
    });
  }

  /** Once, and by a process that counts: whoever only asks changes nothing. */
  #removeOthers(): void {
    if (this.#isAlone) return;
    this.#isAlone = true;
    const { keyValue } = this.#parts;
    this.#beside(async () => {
      for (const key of await keyValue.keys(`${this.#of}:`))
        if (!key.startsWith(`${this.#rule}:`) && key !== `${this.#of}:decided` && key !== this.#olderSeen)
          await keyValue.delete(key);
    });
  }

  /** One after the other. */
  #beside(work: () => Promise<void>): void {
    this.#aside = this.#aside.then(work).catch((error: unknown) => this.#warn(error));
  }

  /** Once until a write succeeds: each call would tell it again. */
  #warn(error: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const message = 'What was observed of a candidate could not be kept: it is tried again with the next call.';
    this.#parts.logger?.warn({ candidate: this.#name, error: errorRecord(error) }, message);
  }
}

const stateAt = (decided: number): TrialState => STATES[decided % STATES.length] ?? 'trying';

/** So many decisions more, and the state is this one; none where it is. */
const stepsTo = (state: TrialState, decided: number): number =>
  (STATES.indexOf(state) - (decided % STATES.length) + STATES.length) % STATES.length;

const hashOf = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 24);

const RESULTS: readonly CandidateVerdict['result'][] = ['better', 'not-worse', 'worse', 'undecided'];
const MOST_REASONS = 8;

/** Whatever is found in the store is checked before it is shown. */
function readVerdict(value: unknown): CandidateVerdict | undefined {
  const { result, confidence, reasons } = asRecord(value) ?? {};
  const known = RESULTS.find((one) => one === result);
  if (known === undefined || typeof confidence !== 'number' || !Array.isArray(reasons)) return undefined;
  const texts = reasons.filter((reason): reason is string => typeof reason === 'string' && reason.length < 500);
  return { result: known, confidence, reasons: texts.slice(0, MOST_REASONS) };
}
