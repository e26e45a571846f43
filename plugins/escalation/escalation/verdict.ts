/** Decides whether an answer is kept or replaced by that of the next rung. */
import {
  asPolyphonyError,
  type Call,
  type ChatRequest,
  type Evaluator,
  extractJson,
  type ModelResponse,
  textOf,
  validateJson,
  withoutPatterns,
} from 'polyphony/kit';

export interface Verdict {
  /** null: not judged, and kept. */
  readonly score: number | null;
  readonly reasons: readonly string[];
}

const failing = (reason: string): Verdict => ({ score: 0, reasons: [reason] });

/**
 * Refusals, filtered answers, cut JSON and answers that do not match the requested schema score 0 without asking the evaluator.
 * Intermediate steps (tool calls, pauses) are not judged, and no answer is when the evaluator fails.
 *
 * @throws cancelled when the caller left while the answer was judged
 */
export async function evaluated(evaluator: Evaluator, call: Call, response: ModelResponse): Promise<Verdict> {
  const { finishReason } = response;
  if (finishReason === 'content-filter' || response.refusal !== undefined) return failing('the model refused');
  if (finishReason === 'error') return failing('the provider ended the answer with an error');
  if (finishReason === 'tool-calls' || finishReason === 'pause')
    return { score: null, reasons: ['an intermediate step'] };
  if (finishReason === 'length' && isTyped(call)) return failing('the answer was cut at its length limit');
  const broken = call.request.operation === 'chat' ? schemaFailure(call.request, response) : undefined;
  if (broken !== undefined) return failing(broken);
  try {
    const { score, reasons } = await evaluator.evaluate(call, response);
    if (score >= 0 && score <= 1) return { score, reasons };
    return { score: null, reasons: [`${NOT_JUDGED} the score ${score} is not between 0 and 1`] };
  } catch (error) {
    if (call.signal.aborted) throw error;
    return { score: null, reasons: [`${NOT_JUDGED} ${asPolyphonyError(error).message}`] };
  }
}

/** Half a JSON may be valid after a repair, so only the finish reason shows that it was cut. */
const isTyped = ({ request }: Call): boolean => request.operation === 'chat' && request.output !== undefined;

const NOT_JUDGED = 'not judged:';
export const wasNotJudged = ({ reasons }: Verdict): boolean => reasons[0]?.startsWith(NOT_JUDGED) === true;

/** Why the answer is not the requested JSON. A schema that is not strict, or cannot be checked, causes no failure. */
function schemaFailure({ output }: ChatRequest, response: ModelResponse): string | undefined {
  if (output === undefined) return undefined;
  const found = extractJson(textOf(response));
  if (found === undefined) return 'the answer contains no JSON';
  if (output.schema === undefined || output.strict === false) return undefined;
  try {
    const result = validateJson(withoutPatterns(output.schema), found.value);
    const [issue] = result.ok ? [] : result.issues;
    return issue === undefined
      ? undefined
      : `the JSON does not match its schema: ${issue.path || 'the value'} ${issue.message}`;
  } catch {
    return undefined;
  }
}
