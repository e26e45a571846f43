/** The events of a body, so that a fault can stand between two of them, and changes of one event. */

/** Ends of events: a blank line in server-sent events, the end of a line in JSON lines, the end of the body in JSON. */
export type BodyForm = 'events' | 'lines' | 'document';

export function formOf(contentType: string | undefined): BodyForm {
  if (contentType?.includes('event-stream') === true) return 'events';
  return contentType?.includes('ndjson') === true || contentType?.includes('jsonl') === true ? 'lines' : 'document';
}

const NEW_LINE = 0x0a;
const RETURN = 0x0d;

/** Each event with what ends it; what is left at the end of the body is one too. Each byte is looked at once. */
export async function* eventsOf(chunks: AsyncIterable<Uint8Array>, form: BodyForm): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let isBlank = true;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = 0; at < chunk.length && form !== 'document'; at += 1) {
      const byte = chunk[at];
      if (byte === RETURN) continue;
      const ends = byte === NEW_LINE && (form === 'lines' || isBlank);
      isBlank = byte === NEW_LINE;
      if (!ends) continue;
      yield Buffer.concat([...pending, chunk.subarray(from, at + 1)]);
      pending = [];
      from = at + 1;
    }
    if (from < chunk.length) pending.push(chunk.subarray(from));
  }
  if (pending.length > 0) yield Buffer.concat(pending);
}

/** The event with other data; what is no data stays. */
export function withData(event: Uint8Array, change: (data: string) => string): Uint8Array {
  const text = Buffer.from(event).toString('utf8');
  const start = /(^|\n)data:/.exec(text);
  const from = start === null ? 0 : start.index + start[0].length;
  const body = text.slice(from);
  const data = body.trim();
  if (data === '') return event;
  const before = body.slice(0, body.indexOf(data));
  const after = body.slice(body.indexOf(data) + data.length);
  return Buffer.from(text.slice(0, from) + before + change(data) + after);
}

export const halved = (data: string): string => data.slice(0, Math.ceil(data.length / 2));

/** What is no JSON stays as it is. */
export function withWrongTypes(data: string, fields: readonly string[] | undefined): string {
  const change = (name: string, value: unknown): unknown =>
    fields === undefined || fields.includes(name) ? ofAnotherType(value) : value;
  try {
    return JSON.stringify(JSON.parse(data, change));
  } catch {
    return data;
  }
}

function ofAnotherType(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return value.length;
    case 'number':
      return String(value);
    case 'boolean':
      return null;
    default:
      return value === null ? [] : value;
  }
}
