/** A node while it runs: the input and the output of its runner. */
import type { ErrorCode, ErrorRecord } from '../errors.ts';
import type {
  CacheMode,
  Citation,
  EscalationReport,
  FinishReason,
  JsonSchema,
  JsonValue,
  MediaSource,
  Message,
  Part,
  Scope,
  Sensitivity,
  Usage,
  Warning,
} from '../model/model.ts';
import type { NanoUsd } from '../money/money.ts';
import type { Paid } from '../money/usage.ts';
import type { Approval } from '../plan/approval.ts';
import type { Plan, PlanNode } from '../plan/plan.ts';
import type { CountedCall } from './run-limits.ts';

export type { Paid };

/** What the answer of a model says besides its text. Fields that it does not say are absent. */
export interface AnswerFacts {
  /** Why the model stopped: `length` means that the text was cut. */
  readonly finishReason?: FinishReason;
  /** Why the model did not answer, in its words; at most 500 characters. Beside the stand-in of a failed node. */
  readonly refusal?: string;
  /** What the model read, in its own order; at most 256. */
  readonly citations?: readonly Citation[];
  readonly images?: readonly MediaSource[];
  readonly audio?: readonly MediaSource[];
  /** The summary of the model's reasoning; at most 4096 characters. */
  readonly reasoning?: string;
  /** Of a node that asks for it: what was said without the system prompt, with calls and results; the last 256 messages and 1 MiB. */
  readonly transcript?: readonly Message[];
}

/** The fields of `{{node.meta.…}}`. */
export interface NodeMeta extends AnswerFacts {
  readonly model?: string;
  readonly provider?: string;
  /** 0 for the first rung. */
  readonly rung?: number;
  readonly confidence?: number;
  readonly costUsd: number | null;
  readonly ms: number;
  readonly warnings: readonly Warning[];
  /** Why the node failed, where its `onError` lets the run go on. */
  readonly error?: NodeError;
  /** The items of an `each` that failed, where its `onError` lets the run go on; at most 1000. Absent: none did. */
  readonly errors?: readonly ItemError[];
}

/** An error as data of the plan. */
export interface NodeError {
  readonly code: ErrorCode;
  /** At most 1000 characters. */
  readonly message: string;
}

export interface ItemError extends NodeError {
  /** Index within `each`. */
  readonly item: number;
}

/** What a runner returns. References read `value`; `meta` is available beside it under its own name. */
export interface NodeOutput {
  readonly value: unknown;
  readonly usage?: Usage;
  /** The cost of all requests of this call; 0 for steps that call no model; null: unknown. */
  readonly costNanoUsd: NanoUsd | null;
  readonly model?: string;
  readonly provider?: string;
  readonly confidence?: number;
  readonly escalation?: EscalationReport;
  /** Becomes a part of `meta`. */
  readonly answer?: AnswerFacts;
  readonly warnings?: readonly Warning[];
}

/** One run of one node, or of one item or round of it. */
export interface NodeCall {
  readonly runId: string;
  /** The id that the plan of the run gives itself: that of the workflow, where a workflow is run. */
  readonly planId?: string | undefined;
  /** The plan of the run, as its journal has it now. Absent: nobody says, and workflows of the plan cannot be run. */
  readonly plan?: Plan | undefined;
  readonly node: PlanNode;
  /** `in`, rendered. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly item?: number;
  readonly round?: number;
  /** `run/node/item/round`: the same if a node runs again after a crash. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  readonly scopes: readonly Scope[];
  readonly session?: string;
  /** See `RunOptions.requestId`. */
  readonly requestId?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly sensitivity?: Sensitivity;
  readonly cache?: CacheMode;
  /** What a plan that is made for the node needs before it may run. @default that of the config */
  readonly approval?: Approval | undefined;
  /** The conversation that the node goes on with. Absent also where nothing is left of its key. */
  readonly thread?: NodeThread;
  /** Nesting of workflows and plans, 0 at the top. */
  readonly level: number;
  /** What the run may do at the same time, for a node that does several things at once, such as calls of tools: each beside the first has `anotherSlot`. @default 8 */
  readonly concurrency?: number;
  /**
   * From here on the call only waits for others, such as a run nested in it, and does not count toward the `concurrency` of the
   * run. Absent: nobody counts.
   */
  readonly giveSlotBack?: (() => void) | undefined;
  /**
   * Counts again after `giveSlotBack`: what the call waited for has ended, and it works on once this resolves. Absent: nobody counts.
   */
  readonly takeSlot?: (() => Promise<void>) | undefined;
  /** Counts one more thing that the call does at the same time, such as a call of a tool beside another. Absent: nobody counts. */
  readonly anotherSlot?: (() => CallSlot) | undefined;
  /**
   * From here on the call waits for what is outside the run, such as a batch: others may begin as if it had not. What it returns takes
   * it back, and is called once. Absent: nobody counts.
   */
  readonly standBy?: (() => () => Promise<void>) | undefined;
  /**
   * Counts bytes that the node is about to write to other stores than the journal, such as a thread or an index, toward
   * `limits.values.writtenBytes`. Absent: nobody counts.
   *
   * @throws limit-exceeded when the run may not write that much more
   */
  readonly countWritten?: ((bytes: number) => void) | undefined;
  /** How long the call may still take by the limits of its node and of the runs around it, in milliseconds; Infinity: no limit. Absent: nobody says. */
  readonly timeLeftMs?: (() => number) | undefined;
  /** For a node that suspended the run: its question and the answer. */
  readonly answer?: { readonly question: HumanQuestion; readonly value: unknown };
  /** For a model that called a workflow, which was approved and then asked something itself: that call. */
  readonly approvedCall?: ApprovedCall;
  /** Takes text that the node produces while it runs: becomes a `node-delta` event. */
  readonly emit: (text: string, options?: { readonly restart?: boolean }) => void;
  /** Takes the progress of model calls: becomes a `node-escalated` or `node-retried` event. */
  readonly report: (event: NodeProgress) => void;
  /**
   * Counts a call of a model, or of the planner's, before it is made. Absent: nobody counts. Throws limit-exceeded when the
   * operator allows the run no further one.
   */
  readonly count?: ((what: CountedCall) => void) | undefined;
  /** Whether the end of the run waits for this call, by the estimate of its plan. Absent: it does. */
  readonly isAwaited?: (() => boolean) | undefined;
  /** Where the rounds of a model that calls tools are recorded. Absent: nobody records them. */
  readonly loop?: LoopRecords | undefined;
}

/** The place of one more thing that a call does at the same time, among all that its run does. */
export interface CallSlot {
  /** Resolves when it may begin; to false when it was left first. */
  readonly taken: Promise<boolean>;
  /** It has ended, or is not wanted any more. */
  leave(): void;
}

/** The thread of a call, as its store knows it. */
export interface NodeThread {
  readonly key: string;
  /** `run/node/item`: the same after a crash, after a failure, and in every round. */
  readonly reader: string;
  /** That of the run from which this one was forked. A fork reads what that one saw, and writes nothing. */
  readonly like?: string;
  /** How much of it may be read at once, in bytes of UTF-8: what does not fit is left out, from the oldest on. */
  readonly mostBytes: number;
  /** Counts a text that is remembered, before it is used. @throws limit-exceeded when the run has no room for it */
  readonly hold: (text: string) => void;
}

// ---------------------------------------------------------------------------------------------------- calls of tools

/** An answer of a model after which its node goes on: it calls tools, or it paused. */
export interface LoopAnswer extends Paid {
  /** Round of the loop, from 1. */
  readonly round: number;
  readonly content: readonly Part[];
  readonly finishReason: FinishReason;
  readonly citations?: readonly Citation[];
  /** Those since the answer before it. */
  readonly warnings?: readonly Warning[];
  /** Calls of models that the node has made so far, over all its rounds. */
  readonly asked: number;
  /** Of the node when the model answered: the keys of the calls of tools begin with it. @default that of the node now */
  readonly idempotencyKey?: string;
  /** Calls of models since the answer before it. @default 0 */
  readonly calls?: number;
  /** Who answered, where a call of a tool may end the loop. */
  readonly model?: string;
  readonly provider?: string;
}

/** One call of a tool by a model, when it has ended: with `result`, or with the `error` that the model was told. */
export interface ToolCallRecord extends Paid {
  /** Round of the loop, from 1. */
  readonly round: number;
  /** Among the calls of its round, from 0. */
  readonly index: number;
  /** The id that the model gave the call. */
  readonly callId: string;
  readonly name: string;
  /** What it ran with: those of the model, or those that a person put in their place. */
  readonly arguments: JsonValue;
  /** What a person decided, where the node asks one. */
  readonly approval?: 'approved' | 'changed' | 'refused';
  readonly result?: unknown;
  readonly error?: ErrorRecord;
}

/** A recorded round: the answer, and the calls of it that have ended, by index. */
export interface LoopRound {
  readonly answer: LoopAnswer;
  readonly calls: ReadonlyMap<number, ToolCallRecord>;
}

export interface LoopRecords {
  /** The rounds that the journal has already, in order. */
  readonly rounds: readonly LoopRound[];
  /** Counts one of them, before it becomes a part of the conversation. @throws limit-exceeded when the run has no room for it */
  takenUp(round: LoopRound): void;
  /** Resolves once the answer is recorded. @throws limit-exceeded when the run has no room for it */
  answered(answer: LoopAnswer): Promise<void>;
  /**
   * @returns the record, once it is kept: a result that the run has no room for is an error in it
   * @throws limit-exceeded when there is no room for the error either
   */
  called(call: ToolCallRecord): Promise<ToolCallRecord>;
}

export type NodeProgress =
  | { readonly type: 'node-escalated'; readonly escalation: EscalationReport }
  | ({ readonly type: 'node-retried'; readonly attempt: number; readonly error: ErrorRecord } & Partial<Paid>);

/** Throws a PolyphonyError, or `SuspendRun` to wait for a person. */
export type NodeRunner = (call: NodeCall) => Promise<NodeOutput>;

const IS_SUSPENSION = Symbol.for('polyphony.suspend-run');

/** As that of PolyphonyError. */
function isSuspension(this: unknown, value: unknown): boolean {
  if (this !== SuspendRun) return Function.prototype[Symbol.hasInstance].call(this, value);
  return typeof value === 'object' && value !== null && IS_SUSPENSION in value;
}

/** Thrown by a runner whose node waits for an answer from outside: the run is journalled as suspended. */
export class SuspendRun extends Error {
  static override readonly [Symbol.hasInstance] = isSuspension;
  override readonly name = 'SuspendRun';
  readonly question: HumanQuestion;
  constructor(question: HumanQuestion) {
    super(`waiting for an answer: ${question.question}`);
    this.question = question;
  }

  get [IS_SUSPENSION](): true {
    return true;
  }
}

/** The call of a tool that a person approved, and that has not ended. */
export interface ApprovedCall {
  /** Its idempotency key. */
  readonly key: string;
  /** The arguments that the model gave, and those that were approved. */
  readonly called: JsonValue;
  readonly arguments: JsonValue;
}

export interface HumanQuestion {
  readonly question: string;
  /** The answer is one of them, exactly. @default any answer */
  readonly choices?: readonly string[];
  /** The only choice that approves. @default those that are a word of approval, such as `yes` */
  readonly approve?: string;
  /** The schema of `{ answer, approved }`: an answer that does not fit is refused when it is given. @default any */
  readonly out?: JsonSchema;
  /** Whose schema reads the answer, besides `out`, where the process has that workflow. @default none */
  readonly ownSchema?: { readonly workflow: string; readonly nodeId: string };
  readonly data?: unknown;
  /** For a question of a nested run: `runId/nodeId` in that run. For one about the call of a tool: the key of that call. */
  readonly origin?: string;
  /** For a question of a workflow that a model called as a tool: the call, which a person approved before. */
  readonly approvedCall?: ApprovedCall;
  /** Epoch milliseconds: when the time of its node (`limits.seconds`) is up. @default it waits for ever */
  readonly deadline?: number;
  /** A moment or an event answers it, and no person. @default a person does */
  readonly wait?: WaitedFor;
  /** All that the nested run asks, where one asks through its node: this question is the first of them. No journal keeps it. */
  readonly nested?: readonly WaitingQuestion[];
}

/** A question of a run, with the node that asks it. */
export interface WaitingQuestion extends HumanQuestion {
  /** What an answer names: `<node>`, `<node>[<item>]`, or `<outer>/<node>` for a question of a nested run. */
  readonly id: string;
  /** The node of this run: for a question of a nested run, the one that runs it. */
  readonly nodeId: string;
  /** Index within `each`. */
  readonly item?: number;
}

/** What ends a `wait` node. */
export type WaitedFor =
  | {
      /** Epoch milliseconds. */
      readonly until: number;
    }
  | {
      /** The name of the event. */
      readonly event: string;
      /** What the payload has to hold: the same values, at least at these fields. @default any */
      readonly match?: unknown;
      /** Of the payload. @default any */
      readonly schema?: JsonSchema;
    };

/** The runner of each `use`, such as `llm`; a key that ends in `:`, such as `tool:`, matches as a prefix. */
export type NodeRunners = ReadonlyMap<string, NodeRunner>;
