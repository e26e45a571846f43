/**
 * `embed`: vectors of texts, and of the passages of an index that have none yet.
 *
 * E1. The texts of the node come first, and the passages go to the model that embedded them, so that both can be compared.
 * E2. Passages are embedded in parts, and each part is committed before the next one is sent. A crash repeats at most one part,
 *     with the id that its call had, so that its row in the ledger is the same.
 * E3. Vectors of passages stay in the store: neither the values of the run nor its journal hold them.
 */
import { PolyphonyError } from '../core/errors.ts';
import type { Gateway } from '../core/gateway.ts';
import type { CallTrace, EmbeddingRequest, ModelResponse } from '../core/model/model.ts';
import type { NodeCall, NodeOutput, NodeRunner } from '../core/run/engine.ts';
import type { PassageStore } from '../core/stores/passages.ts';
import { chargeOfAttempts, withCharge } from '../runs/state/charge.ts';
import { callOptions, operationOutput, outputOf, requestFields } from './gateway-call.ts';
import { invalidInput, textInput, textsInput } from './inputs.ts';
import { ask } from './operations.ts';

/** Texts of one call: what a crash may repeat. */
const PART = 100;
/** What a store writes of a vector besides its numbers. */
const VECTOR_BYTES = 256;

export function embedRunner(gateway: Gateway, passages: PassageStore | undefined): NodeRunner {
  return async function embedTexts(call) {
    const index = textInput(call, 'index');
    const input = textsInput(call, 'input');
    if (index !== undefined) return embedIndex({ gateway, call, index, passages: storeOf(call, passages) }, input);
    if (input.length === 0) throw invalidInput(call, 'input', 'a text or a list of texts');
    const response = await ask(gateway, call, { operation: 'embed', ...requestFields(call), input });
    return outputOf({ vectors: operationOutput(response, 'embed').vectors }, response);
  };
}

interface Indexing {
  readonly gateway: Gateway;
  readonly call: NodeCall;
  readonly index: string;
  readonly passages: PassageStore;
}

function storeOf(call: NodeCall, passages: PassageStore | undefined): PassageStore {
  if (passages !== undefined) return passages;
  const message = `Node ${call.node.id} embeds an index, but these stores keep none: give stores with "passages", such as those of sqliteStores, or remove "index".`;
  throw new PolyphonyError('unsupported', message);
}

async function embedIndex(indexing: Indexing, input: readonly string[]): Promise<NodeOutput> {
  const { call, index, passages } = indexing;
  if ((await passages.sources(index)) === undefined) {
    throw invalidInput(call, 'index', 'the name of an index: make it first, with the tool "index"');
  }
  const traces: CallTrace[] = [];
  const paid = () => chargeOfAttempts(traces.flatMap(({ attempts }) => attempts));
  try {
    const asked = input.length === 0 ? undefined : await embedded(indexing, traces, input, '1');
    const vectors = asked === undefined ? [] : operationOutput(asked, 'embed').vectors;
    const { count, last } = await embedMissing(indexing, traces, asked);
    const response = last ?? asked;
    const model = response?.target.model ?? expectedModel(indexing);
    const value = { vectors, index, model, embedded: count };
    return response === undefined ? { value, costNanoUsd: 0 } : { ...outputOf(value, response), ...paid() };
  } catch (error) {
    throw withCharge(error, paid());
  }
}

/** What the router would choose now. */
function expectedModel({ gateway, call }: Indexing): string {
  const request: EmbeddingRequest = { operation: 'embed', ...requestFields(call), input: [''] };
  const [first] = gateway.explain(request).candidates;
  return first?.target.model ?? '';
}

async function embedMissing(
  indexing: Indexing,
  traces: CallTrace[],
  asked: ModelResponse | undefined,
): Promise<{ readonly count: number; readonly last: ModelResponse | undefined }> {
  const { index, passages, call } = indexing;
  let target = asked?.target;
  let model = target?.model ?? expectedModel(indexing);
  let last: ModelResponse | undefined;
  let count = 0;
  for (let after = ''; ; ) {
    call.signal.throwIfAborted();
    const part = await passages.missing({ index, model, most: PART, after });
    const [first, end] = [part[0], part.at(-1)];
    if (first === undefined || end === undefined) return { count, last };
    const texts = part.map(({ text }) => text);
    const id = `${first.key.slice(0, 16)}-${end.key.slice(0, 16)}`;
    last = await embedded(indexing, traces, texts, id, target && `${target.provider}/${target.model}`);
    const { vectors } = operationOutput(last, 'embed');
    const kept = part.map(({ key }, at) => ({ key, vector: vectors[at] ?? [] }));
    call.countWritten?.(kept.reduce((sum, { vector }) => sum + VECTOR_BYTES + 4 * vector.length, 0));
    await passages.keep({ index, model: last.target.model, vectors: kept });
    count += part.length;
    // Another model than the expected one answered: what it has embedded before is not missing, and the part was not in vain.
    after = last.target.model === model ? end.key : '';
    if (last.target.model !== model && target !== undefined) return { count, last };
    target = last.target;
    model = target.model;
  }
}

async function embedded(
  { gateway, call }: Indexing,
  traces: CallTrace[],
  input: readonly string[],
  id: string,
  pinned?: string,
): Promise<ModelResponse> {
  const request = {
    operation: 'embed' as const,
    ...requestFields(call),
    ...(pinned === undefined ? {} : { model: { id: pinned } }),
    input,
  };
  const trace: CallTrace = { attempts: [] };
  traces.push(trace);
  return gateway.call(request, callOptions(call, `${call.idempotencyKey}/${id}`, trace));
}
