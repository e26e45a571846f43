/** Errors inside a successful response: as a frame of a stream, as the only body, or beside a router's choices. */
import type { PolyphonyError } from '../../../core/errors.ts';
import { failureOf, httpError, impliedStatus, withUsualNames } from '../../http/http-errors.ts';
import { asList, asRecord, type JsonRecord } from '../../json/json-shape.ts';

/** The error in a document; undefined for an answer. `names` are the server's `errorNames`. */
export function frameError(
  body: JsonRecord,
  event?: string,
  extension?: JsonRecord,
  names?: Readonly<Record<string, string>>,
): PolyphonyError | undefined {
  const found = errorIn(body, event, extension);
  if (found === undefined) return undefined;
  const fields = asRecord(found);
  const error = fields === undefined ? found : withUsualNames(fields, names);
  const status = impliedStatus(asRecord(error) ?? body);
  return httpError(failureOf({ error }, status) ?? { status, message: '' });
}

function errorIn(body: JsonRecord, event: string | undefined, extension: JsonRecord | undefined): unknown {
  // Some servers send `error: null`, `false` or an empty string with every answer.
  if (body.error) return body.error;
  const nested = extension?.error ?? asRecord(asList(body.choices)?.[0])?.error;
  if (nested) return nested;
  return event === 'error' || body.object === 'error' || (body.type === 'error' && body.choices === undefined)
    ? body
    : undefined;
}

/** A server's own field (`x_…`), in which some servers send usage and errors of streams. */
export function extensionOf(body: JsonRecord): JsonRecord | undefined {
  for (const name in body) if (name.startsWith('x_')) return asRecord(body[name]);
  return undefined;
}
