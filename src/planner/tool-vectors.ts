/**
 * Vectors of tools, so that those that fit a request are found by meaning: only where there are more than are told anyway, and a model
 * of known price makes vectors. Those of tools are kept, and asked for once by plannings at the same time; a failure leaves the choice to words.
 */
import { abortError } from '../core/errors.ts';
import type { CallOptions, Gateway } from '../core/gateway.ts';
import type { CallTrace, Sensitivity } from '../core/model/model.ts';
import type { Paid } from '../core/money/usage.ts';
import { NO_USAGE } from '../core/money/usage.ts';
import { onAbort } from '../core/on-abort.ts';
import type { Catalogue, StepType } from '../core/plan/validation.ts';
import { paidFor } from './ask.ts';
import { usualCost } from './prompt/model-pool.ts';
import { MOST_TOOLS, type ToolVectors, toolText } from './prompt/relevant-tools.ts';
import { usableSteps } from './prompt/usable-steps.ts';

const MOST_KEPT = 5000;
/** Of a tool's description, and of a request. */
const MOST_CHARACTERS = 1000;

export interface FoundVectors {
  /** Undefined where nobody makes vectors, and where that failed. */
  readonly vectors: ToolVectors | undefined;
  readonly paid: Paid;
}

/** By the model and the text. */
export interface KeptVectors {
  readonly known: Map<string, readonly number[]>;
  /** Those that a planning has asked for: resolves when they are known, or will not be. */
  readonly asked: Map<string, Promise<void>>;
}
export const keptVectors = (): KeptVectors => ({ known: new Map(), asked: new Map() });

interface Question {
  readonly request: string;
  readonly catalogue: Catalogue;
  readonly gateway: Gateway;
  readonly options: CallOptions;
  readonly sensitivity: Sensitivity | undefined;
}

/** Undefined where no vectors are needed, without a wait. */
export function vectorsFor(question: Question, kept: KeptVectors): Promise<FoundVectors> | undefined {
  const { tools } = usableSteps(question.catalogue);
  if (tools.length <= MOST_TOOLS) return undefined;
  const model = cheapestEmbedder(question.catalogue);
  return model === undefined ? undefined : embed(question, tools, model, kept);
}

/** One that would serve only for want of a better one is no better than words. */
function cheapestEmbedder({ models }: Catalogue): string | undefined {
  const able = models.flatMap(({ provider, card }) => {
    const cost = usualCost(card);
    const serves = card.operations.includes('embed') && card.lifecycle?.stage !== 'retired' && card.standIn !== true;
    return serves && cost !== null ? [{ name: `${provider}/${card.id}`, cost }] : [];
  });
  return able.sort((a, b) => a.cost - b.cost)[0]?.name;
}

async function embed(
  question: Question,
  tools: readonly StepType[],
  model: string,
  kept: KeptVectors,
): Promise<FoundVectors> {
  const keys = tools.map((step) => `${model}\n${toolText(step).slice(0, MOST_CHARACTERS)}`);
  const trace: CallTrace = { attempts: [] };
  try {
    const request = await askWithOthers({ ...question, model, trace, kept }, keys);
    const vectors = keys.map((key) => kept.known.get(key));
    const isWhole = request !== undefined && vectors.every((vector) => vector !== undefined);
    return { vectors: isWhole ? { request, tools: vectors } : undefined, paid: paidFor(trace.attempts) };
  } catch (error) {
    if (question.options.signal?.aborted === true) throw error;
    return { vectors: undefined, paid: trace.attempts.length === 0 ? NOTHING : paidFor(trace.attempts) };
  }
}

interface Asking extends Question {
  readonly model: string;
  readonly trace: CallTrace;
  readonly kept: KeptVectors;
}

/** The vector of the request, once those of the tools are kept; what another planning has asked for is not asked for again. */
async function askWithOthers(asking: Asking, keys: readonly string[]): Promise<readonly number[] | undefined> {
  const { known, asked } = asking.kept;
  const missing = [...new Set(keys.filter((key) => !known.has(key)))];
  const own = missing.filter((key) => !asked.has(key));
  const others = new Set(missing.flatMap((key) => asked.get(key) ?? []));
  const answer = ask(asking, [asking.request.slice(0, MOST_CHARACTERS)], own);
  const over = (): void => {
    for (const key of own) asked.delete(key);
  };
  const done = answer.then(over, over);
  for (const key of own) asked.set(key, done);
  const [[request]] = await Promise.all([answer, settled([...others], asking.options.signal)]);
  // Who asked for them may have failed, or given up.
  const left = missing.filter((key) => !known.has(key));
  if (others.size > 0 && left.length > 0) await ask(asking, [], left);
  return request;
}

/** Keeps the vectors of the keys, and returns those of the texts. */
async function ask(
  { gateway, options, sensitivity, model, trace, kept: { known } }: Asking,
  texts: readonly string[],
  keys: readonly string[],
): Promise<readonly (readonly number[])[]> {
  const { output } = await gateway.embed(
    {
      input: [...texts, ...keys.map((key) => key.slice(model.length + 1))],
      model,
      ...(sensitivity === undefined ? {} : { sensitivity }),
    },
    { ...options, trace, purpose: 'planner' },
  );
  const vectors = output?.operation === 'embed' ? output.vectors : [];
  if (known.size + keys.length > MOST_KEPT) known.clear();
  for (const [index, key] of keys.entries()) {
    const vector = vectors[texts.length + index];
    if (vector !== undefined) known.set(key, [...vector]);
  }
  return vectors.slice(0, texts.length);
}

/** They never reject. @throws cancelled as soon as the signal aborts */
function settled(all: readonly Promise<void>[], signal: AbortSignal | undefined): Promise<void> {
  const every = Promise.all(all).then(() => undefined);
  if (signal === undefined || all.length === 0) return every;
  return new Promise((resolve, reject) => {
    const stop = onAbort(signal, () => reject(abortError(signal)));
    void every.then(() => {
      stop();
      resolve();
    });
  });
}

export const NOTHING: Paid = { costNanoUsd: 0, usage: NO_USAGE };
