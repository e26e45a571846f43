/** Reads the rendered `in` of the built-in steps. */

import { PolyphonyError } from '../core/errors.ts';
import { firstOf } from '../core/json/cut-text.ts';
import { DATA_URL, kindOfFile } from '../core/model/media-kind.ts';
import type { AudioPart, FilePart, ImagePart, MediaSource, VideoPart } from '../core/model/model.ts';
import type { NodeCall } from '../core/run/engine.ts';

export function invalidInput(call: NodeCall, field: string, rule: string): PolyphonyError {
  const got = firstOf(JSON.stringify(call.inputs[field]) ?? 'missing', 80);
  return new PolyphonyError('invalid-request', `Node ${call.node.id}: "${field}" is ${got}, but it must be ${rule}.`);
}

/** Text of a field; other values than strings as compact JSON. Undefined where it is absent or null. */
export function textInput(call: NodeCall, field: string): string | undefined {
  const value = call.inputs[field];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function requiredText(call: NodeCall, field: string): string {
  const text = textInput(call, field);
  if (text === undefined || text === '') throw invalidInput(call, field, 'a text');
  return text;
}

export function numberInput(call: NodeCall, field: string): number | undefined {
  const value = call.inputs[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalidInput(call, field, 'a number');
  return value;
}

export function textsInput(call: NodeCall, field: string): readonly string[] {
  const value = call.inputs[field];
  const list = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  return list.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
}

/** A media source, or a string with a URL or a data URL. */
export function mediaSource(call: NodeCall, field: string, value: unknown): MediaSource {
  if (typeof value === 'string' && value !== '') {
    const mediaType = DATA_URL.exec(value.slice(0, 200))?.[1];
    if (mediaType !== undefined) return { type: 'base64', data: value.slice(value.indexOf(',') + 1), mediaType };
    return { type: 'url', url: value };
  }
  if (typeof value === 'object' && value !== null) {
    const { type, data, url, mediaType } = value as Readonly<Record<string, unknown>>;
    if (type === 'base64' && typeof data === 'string' && typeof mediaType === 'string')
      return { type, data, mediaType };
    if (type === 'url' && typeof url === 'string') {
      return typeof mediaType === 'string' ? { type, url, mediaType } : { type, url };
    }
  }
  throw invalidInput(call, field, 'a URL, a data URL or { type, data | url, mediaType }');
}

export function imageParts(call: NodeCall): readonly ImagePart[] {
  return mediaList(call, 'images').map((source) => ({ type: 'image', source }));
}

/** Sound and films among the files are parts of their own, because the models that take them are others. */
export function fileParts(call: NodeCall): readonly (FilePart | AudioPart | VideoPart)[] {
  return mediaList(call, 'files').map((source) => ({ type: kindOfFile(source.mediaType), source }));
}

export function audioParts(call: NodeCall): readonly AudioPart[] {
  return mediaList(call, 'audio').map((source) => {
    if (source.mediaType === undefined || kindOfFile(source.mediaType) === 'audio') return { type: 'audio', source };
    throw invalidInput(call, 'audio', `sound, but one of it is ${firstOf(source.mediaType, 80)}: give that in files`);
  });
}

function mediaList(call: NodeCall, field: string): readonly MediaSource[] {
  const value = call.inputs[field];
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? value.flat() : [value];
  return list.filter((item) => item !== null).map((item) => mediaSource(call, field, item));
}
