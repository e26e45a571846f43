/** What a scenario is: two targets, what becomes of the first, and what the caller has to see. */

import type { ChaosRule } from '../../plugins/testing/chaos.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { ModelEvent } from '../../src/core/model/model.ts';
import type { LedgerRow } from '../../src/core/stores.ts';
import type { Gateway, Polyphony, PolyphonyOptions } from '../../src/index.ts';
import type { FakeRuntime } from '../../src/testing/fakes.ts';
import type { Driver } from './driver.ts';
import type { ChaosServer, Play } from './servers.ts';
import type { ChaosWire } from './wires.ts';

export type StreamRequest = Parameters<Gateway['stream']>[0];
export type CallOptions = NonNullable<Parameters<Gateway['stream']>[1]>;

/** What the caller saw of one call. */
export interface Seen {
  /** `answer` of the first target, `failover` to another one, the code of an error, or that the reader left. */
  readonly ending: 'answer' | 'failover' | 'left' | ErrorCode | 'foreign';
  readonly text: string;
  readonly ms: number;
  readonly rows: readonly LedgerRow[];
  readonly warnings: readonly string[];
  /** Of a stream. */
  readonly events: readonly ModelEvent[];
}

export interface CallSettings {
  /** @default as the scenario says */
  readonly streamed?: boolean;
  readonly request?: Partial<StreamRequest>;
  readonly options?: CallOptions;
  /** The reader leaves after so many events. @default it reads all */
  readonly leaveAfter?: number;
}

export interface World {
  readonly polyphony: Polyphony;
  readonly runtime: FakeRuntime;
  readonly driver: Driver;
  readonly first: ChaosServer;
  readonly second: ChaosServer;
  readonly problems: string[];
  /** Makes a call and moves time on until it has ended. */
  readonly call: (settings?: CallSettings) => Promise<Seen>;
  /** Begins a call; `driver.until` moves time. */
  readonly begin: (settings?: CallSettings) => Promise<Seen>;
  /** Adds a problem unless it holds. */
  readonly expect: (holds: boolean, problem: string) => void;
}

export interface Expected {
  /** Of every call. @default the scenario judges them itself */
  readonly ending?: Seen['ending'];
  /** Of every call. @default the good answer, or a beginning of it where the call failed */
  readonly text?: string;
  /** Rows of the ledger of every call. @default any number */
  readonly attempts?: number;
  /** The longest that a call may take on the clock. @default 30000 */
  readonly withinMs?: number;
  /** The shortest. @default 0 */
  readonly afterMs?: number;
}

export interface Scenario {
  readonly name: string;
  /** What it is about, in a sentence. */
  readonly shows: string;
  /** @default chat */
  readonly wire?: ChaosWire | undefined;
  /** @default true */
  readonly streamed?: boolean | undefined;
  /** @default it answers well */
  readonly first?: Play | undefined;
  /** @default it answers well */
  readonly second?: Play | undefined;
  /** Rules of the chaos plugin. @default it is not registered */
  readonly rules?: readonly ChaosRule[] | undefined;
  /** Over the usual config. */
  readonly config?: Extract<PolyphonyOptions['config'], object> | undefined;
  readonly request?: Partial<StreamRequest> | undefined;
  /** Keys of the first target, which then speaks chat completions. @default one */
  readonly keys?: readonly string[] | undefined;
  /** Fields of the card of the first target. */
  readonly card?: Readonly<Record<string, unknown>> | undefined;
  /** Requests to the first target at the same time, which then speaks chat completions. @default 64 */
  readonly concurrency?: number | undefined;
  /** Real time for work on other threads before the clock goes on, in milliseconds. @default none */
  readonly patienceMs?: number | undefined;
  /** Requests that the transport sends once more on a new connection, within one attempt. @default 0 */
  readonly resent?: number | undefined;
  /** Its answers state other counts than the good ones. @default false */
  readonly anyCost?: boolean | undefined;
  /** No target but the first. @default there are two */
  readonly alone?: boolean | undefined;
  /** @default one call */
  readonly play?: ((world: World) => Promise<readonly Seen[]>) | undefined;
  readonly expect: Expected;
}

/** What is known of a scenario once it was played. */
export interface Played {
  readonly name: string;
  readonly endings: readonly Seen['ending'][];
  /** Of the longest call, on the clock. */
  readonly ms: number;
  readonly attempts: number;
  readonly costNanoUsd: number;
  readonly problems: readonly string[];
}
