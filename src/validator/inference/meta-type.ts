/** The type of `meta`, which every node has beside its output. */
import { ERROR_CODES } from '../../core/errors.ts';
import { FINISH_REASONS, type JsonSchema } from '../../core/model/model.ts';
import { type InferredType, inferredType } from './inferred-type.ts';

const ERROR_FIELDS = {
  code: { type: 'string', enum: Object.keys(ERROR_CODES) },
  message: { type: 'string' },
};
const ERROR = { type: ['object', 'null'], properties: ERROR_FIELDS, additionalProperties: false };
const ITEM_ERROR = {
  type: 'object',
  properties: { item: { type: 'integer' }, ...ERROR_FIELDS },
  additionalProperties: false,
};
const META_FIELDS = {
  model: { type: 'string' },
  provider: { type: 'string' },
  rung: { type: 'integer' },
  confidence: { type: 'number' },
  costUsd: { type: ['number', 'null'] },
  ms: { type: 'number' },
  warnings: { type: 'array' },
  finishReason: { type: 'string', enum: [...FINISH_REASONS] },
  refusal: { type: 'string' },
  citations: { type: 'array' },
  images: { type: 'array' },
  audio: { type: 'array' },
  reasoning: { type: 'string' },
  transcript: { type: 'array' },
};
const metaOf = (more: Readonly<Record<string, JsonSchema>>): InferredType =>
  inferredType({ type: 'object', properties: { ...META_FIELDS, ...more }, additionalProperties: false });
export const META = metaOf({});
/** Of a node whose `onError` lets the run go on. */
export const META_WITH_ERROR = metaOf({ error: ERROR });
/** In an `each` its items fail one by one, and the list as a whole may run out of time. */
export const META_WITH_ERRORS = metaOf({ error: ERROR, errors: { type: ['array', 'null'], items: ITEM_ERROR } });
