/** The plan as our own copy of plain JSON, addressed by pointers; repairs edit it in place. */

import type { PlanRepair } from '../../core/plan/validation.ts';

export interface Reading {
  /** Undefined when nothing could be read; the reason is reported. */
  readonly document: unknown;
  readonly repaired: readonly PlanRepair[];
  /** True: the document is within its bounds, and no other code holds a reference into it. @default false */
  readonly isClean?: boolean;
}

/** A change of the document in place. */
export type Edit = (document: unknown) => void;

export const pointerToken = (key: string): string =>
  key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;

export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${pointerToken(String(key))}`).join('');
}

const tokensOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The own property of an object or an array; undefined when there is none. */
export function ownValue(container: unknown, key: string): unknown {
  if (typeof container !== 'object' || container === null || !Object.hasOwn(container, key)) return undefined;
  return (container as Record<string, unknown>)[key];
}

export function valueAt(document: unknown, pointer: string): unknown {
  let current = document;
  for (const token of tokensOf(pointer)) current = ownValue(current, token);
  return current;
}

/** Replaces the text at the pointer with the result of `change`; does nothing when there is no text. */
export function editText(pointer: string, change: (text: string) => string): Edit {
  return function edit(document) {
    const tokens = tokensOf(pointer);
    const last = tokens.pop();
    if (last === undefined) return;
    let owner = document;
    for (const token of tokens) owner = ownValue(owner, token);
    const text = ownValue(owner, last);
    if (typeof text === 'string' && typeof owner === 'object' && owner !== null) {
      (owner as Record<string, unknown>)[last] = change(text);
    }
  };
}

export const setText = (pointer: string, text: string): Edit => editText(pointer, () => text);

/** Renames a property and keeps the order of the properties. */
export function renameKey(pointer: string, from: string, to: string): Edit {
  return function edit(document) {
    const owner = valueAt(document, pointer);
    if (!isRecord(owner) || !Object.hasOwn(owner, from) || Object.hasOwn(owner, to)) return;
    const entries = Object.entries(owner);
    for (const [key] of entries) delete owner[key];
    for (const [key, value] of entries) owner[key === from ? to : key] = value;
  };
}
