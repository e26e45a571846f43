/** What a call returned, as a value: bounded, without the secrets that were sent, and with its media as media. */
import { asRecord, asText, firstOf, PolyphonyError, tryParseJson } from 'polyphony/kit';

const MOST = { result: 8_388_608, text: 262_144, error: 2000, parts: 100, media: 8 };

export interface ResultOf {
  /** `server/tool`, for messages. */
  readonly name: string;
  readonly secrets: readonly string[];
  /** Whether a second call does no harm. */
  readonly repeatable: boolean;
  /** The tool declares an output, so its structured content is what it returns. */
  readonly typed: boolean;
}

/** @throws tool-failed where the tool says that it failed, or says too much */
export function resultValue(given: unknown, of: ResultOf): unknown {
  const result = asRecord(cleanResult(given, of));
  if (result === undefined) throw failed(of, 'returned no result: tell whoever runs the server');
  const parts = (Array.isArray(result.content) ? result.content : []).slice(0, MOST.parts).map(asRecord);
  const texts = parts.map(textOf).filter((text) => text !== undefined);
  const text = cut(texts.join('\n'), MOST.text);
  if (result.isError === true) throw failed(of, `says: ${cut(text, MOST.error) || 'it failed'}`);
  if (result.structuredContent !== undefined) return result.structuredContent;
  if (of.typed)
    throw failed(of, 'returned no structured content, which its list promises: tell whoever runs the server');
  const media = parts.map(mediaOf).filter((one) => one !== undefined);
  if (media.length === 0) return text;
  const named = media.slice(0, MOST.media).map((one, index) => [`media_${index + 1}`, one] as const);
  const note = media.length > MOST.media ? `\n… ${media.length - MOST.media} more media were left out` : '';
  return { text: `${text}${note}`, ...Object.fromEntries(named) };
}

/** The size is known before anything walks through the value. */
function cleanResult(given: unknown, of: ResultOf): unknown {
  let text: string;
  try {
    text = JSON.stringify(given) ?? '';
  } catch {
    throw failed(of, 'returned a value that is nested too deeply: ask for less');
  }
  if (text.length > MOST.result)
    throw failed(of, `returned ${text.length} characters, and at most ${MOST.result} are taken: ask for less`);
  const leaked = of.secrets.filter((secret) => text.includes(inJson(secret)));
  if (leaked.length === 0) return given;
  return tryParseJson(leaked.reduce((clean, secret) => clean.replaceAll(inJson(secret), '[secret]'), text));
}

/** As it stands within a text of JSON. */
const inJson = (secret: string): string => JSON.stringify(secret).slice(1, -1);

const failed = ({ name, repeatable }: ResultOf, what: string): PolyphonyError =>
  new PolyphonyError('tool-failed', `The MCP tool ${name} ${what}.`, { retryable: repeatable });

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${firstOf(text, most)}\n… [cut after ${most} of ${text.length} characters]`;

type Fields = ReturnType<typeof asRecord>;

function textOf(part: Fields): string | undefined {
  if (part?.type === 'text') return asText(part.text);
  if (part?.type === 'resource_link') return [asText(part.name), asText(part.uri)].filter(Boolean).join(': ');
  return part?.type === 'resource' ? asText(asRecord(part.resource)?.text) : undefined;
}

function mediaOf(
  part: Fields,
): { readonly type: 'base64'; readonly data: string; readonly mediaType: string } | undefined {
  const source = part?.type === 'resource' ? asRecord(part.resource) : part;
  const data = asText(part?.type === 'resource' ? source?.blob : source?.data);
  const mediaType = asText(source?.mimeType) ?? 'application/octet-stream';
  return data === undefined ? undefined : { type: 'base64', data, mediaType };
}
