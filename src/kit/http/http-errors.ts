/** Reads the bodies of error responses, in the forms that servers use. */
import { defined } from '../../core/defined.ts';
import { firstOf } from '../../core/json/cut-text.ts';
import { asList, asNumber, asRecord, asText, type JsonRecord, tryParseJson } from '../json/json-shape.ts';
import { statusOfNames } from '../refusals/error-meaning.ts';
import type { HttpFailure } from '../refusals/http-error.ts';
import { tellsDelay } from './rate-limits.ts';
import { withoutTags } from './without-tags.ts';

export { type HttpFailure, httpError } from '../refusals/http-error.ts';

/** Most characters of a message that are kept, so that every wire may compare them as well. */
const MAX_MESSAGE = 4096;
const MAX_UPSTREAM = 500;
const MAX_DETAILS = 16;

/**
 * Reads the common JSON error bodies; any other body is the message itself, without tags. `headers`, in lower case, tell
 * whether the response names a delay.
 */
export function readFailure(status: number, body: string, headers: Readonly<Record<string, string>> = {}): HttpFailure {
  const delay = tellsDelay(headers) ? { tellsDelay: true } : {};
  const parsed = tryParseJson(body) ?? tryParseJson(/^data: *(.*)$/m.exec(body)?.[1] ?? '');
  const failure = failureOf(parsed, status);
  if (failure !== undefined) return { ...failure, ...delay };
  const text = withoutTags(body).replace(/\s+/g, ' ');
  const isPage = /^[\s\uFEFF]*</.test(body);
  return { status, message: firstOf(text.trim(), 300), ...(isPage ? { isPage } : {}), ...delay };
}

/**
 * The failure that a JSON value describes: `{ error: { message, type, code } }`, `{ error: "…" }`, `{ message }`,
 * `{ detail }`, `{ errors: […] }`, or a list of these; undefined if it describes none.
 */
export function failureOf(value: unknown, status: number): HttpFailure | undefined {
  const body = asRecord(asList(value)?.[0] ?? value);
  if (body === undefined) return undefined;
  const described = body.error ?? asList(body.errors)?.[0] ?? asRecord(body.detail) ?? body;
  const error = typeof described === 'string' ? {} : asRecord(described);
  if (error === undefined) return undefined;
  const message = typeof described === 'string' ? described : (messageOf(error) ?? messageOf(body));
  const type = textOf(error.type) ?? textOf(error.status) ?? textOf(body.type);
  const code = codeOf(error.code) ?? codeOf(body.code);
  const reasons = reasonsOf(error, body);
  if (message === undefined && type === undefined && code === undefined && reasons.length === 0) return undefined;
  return {
    status,
    message: firstOf(message ?? '', MAX_MESSAGE),
    ...defined({ type, code, param: textOf(error.param) ?? textOf(body.param) }),
    ...(reasons.length === 0 ? {} : { reasons }),
    ...defined({ upstream: upstreamOf(error, message) }),
  };
}

function messageOf(error: JsonRecord): string | undefined {
  const stated = error.message ?? error.detail ?? error.Message ?? error.msg ?? error.error;
  return asText(stated) ?? (stated === undefined || stated === null ? undefined : JSON.stringify(stated));
}

/** An empty text says nothing. */
const textOf = (value: unknown): string | undefined => asText(value) || undefined;

const codeOf = (value: unknown): string | undefined => textOf(value) ?? asNumber(value)?.toString();

/** Structured words beside code and type: reasons of details, names, codes of inner errors. */
function reasonsOf(error: JsonRecord, body: JsonRecord): readonly string[] {
  const reasons: string[] = [];
  const add = (value: unknown): void => {
    const text = textOf(value);
    if (text !== undefined && reasons.length < MAX_DETAILS) reasons.push(text);
  };
  for (const item of (asList(error.details) ?? []).slice(0, MAX_DETAILS)) add(asRecord(item)?.reason);
  for (const item of (asList(body.detail) ?? []).slice(0, MAX_DETAILS)) add(asRecord(item)?.type);
  const inner = asRecord(error.innererror) ?? asRecord(error.inner_error) ?? asRecord(error.error);
  for (const value of [inner?.code, inner?.type, error.reason, error.status, error.name, error.error_type]) add(value);
  for (const value of [body.name, body.__type, body.error_code, body.error_type]) add(value);
  if (error.failed_generation !== undefined) add('json_failed');
  const metadata = asRecord(error.metadata);
  if (metadata?.flagged_input !== undefined) add('content_policy');
  return reasons;
}

/** Routers put the answer of the server behind them into the metadata, or as JSON into the message. */
function upstreamOf(error: JsonRecord, message: string | undefined): HttpFailure['upstream'] {
  const raw = asRecord(error.metadata)?.raw;
  const text = asText(raw) ?? (raw === undefined || raw === null ? undefined : JSON.stringify(raw));
  const inner = text ?? (message?.startsWith('{') === true ? message : undefined);
  if (inner === undefined) return undefined;
  const said = failureOf(tryParseJson(inner), 400);
  if (said === undefined) return text === undefined ? undefined : { message: firstOf(text, MAX_UPSTREAM) };
  const names = [said.code, said.type].filter((name) => name !== undefined);
  // Where the message is itself that JSON, it is told already.
  const told = text === undefined ? '' : firstOf(said.message, MAX_UPSTREAM);
  return { message: told, reasons: [...names, ...(said.reasons ?? [])] };
}

/** An error or failure whose code and type have their usual names; `names` says which these are for this server's own. */
export function withUsualNames<E extends { readonly code?: unknown; readonly type?: unknown }>(
  error: E,
  names: Readonly<Record<string, string>> | undefined,
): E {
  if (names === undefined) return error;
  const usual = (name: unknown): string | undefined =>
    typeof name === 'string' && Object.hasOwn(names, name) ? names[name] : undefined;
  return { ...error, ...defined({ code: usual(error.code), type: usual(error.type) }) };
}

/** The status that an error inside a successful answer implies; 500 if it implies none. */
export function impliedStatus(error: unknown): number {
  const fields = asRecord(error) ?? {};
  for (const value of [fields.status_code, fields.status, fields.code, fields.http_status]) {
    const status = Number(value);
    if (Number.isInteger(status) && status >= 400 && status < 600) return status;
  }
  return statusOfNames([fields.code, fields.type, fields.status].flatMap((name) => textOf(name) ?? []));
}
