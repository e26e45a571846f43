/** Errors that come inside a good answer: as a frame of a stream, as the only body, or beside a router's choices. */
import type { PolyphonyError } from '../../../core/errors.ts';
import { failureOf, httpError, impliedStatus } from '../../http/http-errors.ts';
import { asList, asRecord, type JsonRecord } from '../../json/json-shape.ts';

/** The error that a document tells of, undefined for an answer. */
export function frameError(body: JsonRecord, event?: string, extension?: JsonRecord): PolyphonyError | undefined {
  const told = toldError(body, event, extension);
  if (told === undefined) return undefined;
  const status = impliedStatus(asRecord(told) ?? body);
  return httpError(failureOf({ error: told }, status) ?? { status, message: '' });
}

function toldError(body: JsonRecord, event: string | undefined, extension: JsonRecord | undefined): unknown {
  // Some servers send `error: null`, `false` or an empty string beside every good answer.
  if (body.error) return body.error;
  const nested = extension?.error ?? asRecord(asList(body.choices)?.[0])?.error;
  if (nested) return nested;
  return event === 'error' || body.object === 'error' || (body.type === 'error' && body.choices === undefined)
    ? body
    : undefined;
}

/** What a server adds under a name of its own (`x_…`): usage and errors of streams on some. */
export function extensionOf(body: JsonRecord): JsonRecord | undefined {
  for (const name in body) if (name.startsWith('x_')) return asRecord(body[name]);
  return undefined;
}
