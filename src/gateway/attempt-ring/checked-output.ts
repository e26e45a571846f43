/**
 * Compares the result of an operation with what was asked: a vector that is missing or belongs to another text, a rank of a
 * document that does not exist, or a text that was not judged would otherwise pass as a success. It is checked here, once,
 * for every provider.
 */
import { PolyphonyError } from '../../core/errors.ts';
import type {
  Attempt,
  EmbeddingRequest,
  ModelRequest,
  ModerationRequest,
  ModerationResult,
  OperationOutput,
  RerankRequest,
  Warning,
} from '../../core/model/model.ts';
import { callStateOf } from '../calls/call-state.ts';
import { nameOf } from '../calls/target.ts';

type OutputOf<Name extends OperationOutput['operation']> = Extract<OperationOutput, { operation: Name }>;

/**
 * The output, or a ranking cut to the number of documents that was asked for. `anyLength`: vectors may have another length than
 * asked, because the wire told that it could not ask for one.
 *
 * @throws invalid-output when the result is not what was asked; another target may answer it
 */
export function asAsked(
  attempt: Attempt,
  request: ModelRequest,
  output: OperationOutput,
  anyLength: boolean,
): OperationOutput {
  const problem = problemOf(output, request, anyLength);
  if (problem === undefined) return request.operation === 'rerank' ? cutTo(request.top, output) : output;
  const message = `${nameOf(attempt.target)} did not answer what was asked: ${problem}. Try again, or try another model.`;
  const error = new PolyphonyError('invalid-output', message);
  callStateOf(attempt).blame(error, 'request-here');
  throw error;
}

export const isWithoutDimensions = ({ code, message }: Warning): boolean =>
  code === 'parameter-dropped' && message.startsWith('"dimensions"');

/** Some servers rank every document, however many were asked for. */
function cutTo(top: number | undefined, output: OperationOutput): OperationOutput {
  if (top === undefined || output.operation !== 'rerank' || output.results.length <= top) return output;
  return { ...output, results: [...output.results].sort((a, b) => b.score - a.score).slice(0, Math.max(0, top)) };
}

function problemOf(output: OperationOutput, request: ModelRequest, anyLength: boolean): string | undefined {
  switch (request.operation) {
    case 'embed':
      if (output.operation !== 'embed') return otherResult(output, request);
      return vectorsProblem(output, request, anyLength ? undefined : request.dimensions);
    case 'rerank':
      return output.operation === 'rerank' ? rankingProblem(output, request) : otherResult(output, request);
    case 'moderate':
      return output.operation === 'moderate' ? verdictsProblem(output, request) : otherResult(output, request);
    case 'image':
      if (output.operation !== 'image') return otherResult(output, request);
      return output.images.length === 0 ? 'the answer contains no image' : undefined;
    case 'chat':
      return undefined;
  }
}

const otherResult = (output: OperationOutput, { operation }: ModelRequest): string =>
  `the answer is a result of "${output.operation}", not of "${operation}"`;

function vectorsProblem(
  { vectors }: OutputOf<'embed'>,
  { input }: EmbeddingRequest,
  dimensions: number | undefined,
): string | undefined {
  if (vectors.length !== input.length) return `the answer has ${vectors.length} vectors for ${input.length} texts`;
  const length = dimensions ?? vectors[0]?.length ?? 0;
  for (let index = 0; index < vectors.length; index += 1) {
    const vector = vectors[index];
    if (!Array.isArray(vector) || vector.length === 0) return `vector ${index} is empty`;
    if (vector.length !== length) return `vector ${index} has ${vector.length} numbers instead of ${length}`;
    for (const number of vector) if (!Number.isFinite(number)) return `vector ${index} has a value that is no number`;
  }
  return undefined;
}

function rankingProblem({ results }: OutputOf<'rerank'>, { documents, top }: RerankRequest): string | undefined {
  const seen = new Set<number>();
  for (const { index, score } of results) {
    if (!Number.isInteger(index) || index < 0 || index >= documents.length)
      return `the index ${index} is that of none of ${documents.length} documents`;
    if (seen.has(index)) return `document ${index} is ranked twice`;
    if (!Number.isFinite(score)) return `the score of document ${index} is no number`;
    seen.add(index);
  }
  const least = Math.min(Math.max(0, top ?? documents.length), documents.length);
  return seen.size < least ? `${seen.size} documents are ranked instead of ${least}` : undefined;
}

/** Texts are judged one by one, and all parts together where a picture is among them. */
function verdictsProblem({ results }: OutputOf<'moderate'>, { input }: ModerationRequest): string | undefined {
  const together = input.some(({ type }) => type !== 'text') && results.length === 1;
  if (results.length !== input.length && !together)
    return `the answer has ${results.length} results for ${input.length} parts`;
  const malformed = results.findIndex((result) => !isVerdict(result));
  return malformed === -1 ? undefined : `result ${malformed} is malformed, so it judges nothing`;
}

function isVerdict(result: ModerationResult | null | undefined): boolean {
  if (typeof result !== 'object' || result === null || typeof result.flagged !== 'boolean') return false;
  const { categories, scores } = result;
  if (typeof categories !== 'object' || categories === null || typeof scores !== 'object' || scores === null)
    return false;
  return (
    Object.values(categories).every((hit) => typeof hit === 'boolean') &&
    Object.values(scores).every((score) => Number.isFinite(score))
  );
}
