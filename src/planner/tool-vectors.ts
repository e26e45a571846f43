/**
 * Vectors of tools, so that those that fit a request are found by meaning: only where there are more than are told anyway, and a model
 * of known price makes vectors. Those of tools are kept; a failure leaves the choice to words.
 */
import type { CallOptions, Gateway } from '../core/gateway.ts';
import type { CallTrace, Sensitivity } from '../core/model/model.ts';
import type { Paid } from '../core/money/usage.ts';
import { NO_USAGE } from '../core/money/usage.ts';
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
export type VectorOf = Map<string, readonly number[]>;

interface Question {
  readonly request: string;
  readonly catalogue: Catalogue;
  readonly gateway: Gateway;
  readonly options: CallOptions;
  readonly sensitivity: Sensitivity | undefined;
}

/** Undefined where no vectors are needed, without a wait. */
export function vectorsFor(question: Question, kept: VectorOf): Promise<FoundVectors> | undefined {
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
  { request, gateway, options, sensitivity }: Question,
  tools: readonly StepType[],
  model: string,
  kept: VectorOf,
): Promise<FoundVectors> {
  const keyOf = (step: StepType): string => `${model}\n${toolText(step).slice(0, MOST_CHARACTERS)}`;
  const missing = [...new Set(tools.map(keyOf).filter((key) => !kept.has(key)))];
  const trace: CallTrace = { attempts: [] };
  try {
    const { output } = await gateway.embed(
      {
        input: [request.slice(0, MOST_CHARACTERS), ...missing.map((key) => key.slice(model.length + 1))],
        model,
        ...(sensitivity === undefined ? {} : { sensitivity }),
      },
      { ...options, trace, purpose: 'planner' },
    );
    const [first, ...rest] = output?.operation === 'embed' ? output.vectors : [];
    if (kept.size + missing.length > MOST_KEPT) kept.clear();
    for (const [index, key] of missing.entries()) if (rest[index] !== undefined) kept.set(key, [...rest[index]]);
    const vectors = tools.map((step) => kept.get(keyOf(step)));
    const isWhole = first !== undefined && vectors.every((vector) => vector !== undefined);
    return { vectors: isWhole ? { request: first, tools: vectors } : undefined, paid: paidFor(trace.attempts) };
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    return { vectors: undefined, paid: trace.attempts.length === 0 ? NOTHING : paidFor(trace.attempts) };
  }
}

export const NOTHING: Paid = { costNanoUsd: 0, usage: NO_USAGE };
