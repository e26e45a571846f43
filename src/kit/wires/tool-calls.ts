/**
 * Tool calls from their pieces. Providers key pieces by index, but some repeat index 0 for every call (their ids differ),
 * repeat the name in each piece, send arguments as an object, or leave ids out.
 */
import { createHash } from 'node:crypto';
import type { JsonValue, ModelEvent, ToolCallPart } from '../../core/model/model.ts';
import { tryParseJson } from '../json/json-shape.ts';
import { argumentsObject } from '../requests/tool-arguments.ts';

export interface ToolCallPiece {
  /** The provider's own index. */
  readonly index: number;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  /** A fragment of JSON text, or the arguments themselves. */
  readonly arguments?: unknown;
  readonly signature?: string | undefined;
  /** The arguments are a text, not JSON: the call's arguments are `{ input }`, and it keeps this form of its provider. */
  readonly custom?: Custom | undefined;
}

interface Custom {
  readonly family: string;
  readonly item: JsonValue;
}

export interface ToolCallAssembler {
  /** The event of the piece; undefined if it contains nothing new. */
  push(piece: ToolCallPiece): ModelEvent | undefined;
  /** The calls in the order of their first pieces, with a `tool-arguments` warning before each invalid one. */
  finish(): readonly ModelEvent[];
  readonly count: number;
}

interface Draft {
  readonly position: number;
  readonly index: number;
  id: string;
  ownId: boolean;
  name: string;
  text: string;
  signature: string | undefined;
  custom: Custom | undefined;
  readonly scan: JsonScan;
}

/** The calls so far, found without looking at each: an answer may have as many as fit into it. */
interface Drafts {
  readonly all: Draft[];
  /** The latest call of each index. */
  readonly byIndex: Map<number, Draft>;
  /** The latest call of each index and id that the provider gave. */
  readonly byId: Map<number, Map<string, Draft>>;
}

/** `idPrefix` is for calls without an id; it should differ between answers. */
export function toolCallAssembler(idPrefix: () => string = () => 'call'): ToolCallAssembler {
  const drafts: Drafts = { all: [], byIndex: new Map(), byId: new Map() };

  const open = (piece: ToolCallPiece): Draft => {
    const draft: Draft = {
      position: drafts.all.length,
      index: piece.index,
      id: piece.id || ownId(idPrefix(), drafts.all.length),
      ownId: false,
      name: '',
      text: '',
      signature: undefined,
      custom: undefined,
      scan: newScan(),
    };
    drafts.all.push(draft);
    drafts.byIndex.set(draft.index, draft);
    return draft;
  };

  const assembler = {
    count: 0,
    push(piece: ToolCallPiece): ModelEvent | undefined {
      const known = find(drafts, piece);
      const draft = known ?? open(piece);
      assembler.count = drafts.all.length;
      if (piece.id && !draft.ownId) takeId(drafts, draft, piece.id);
      if (piece.name && draft.name === '') draft.name = piece.name;
      draft.signature ??= piece.signature;
      draft.custom ??= piece.custom;
      const delta = fragmentOf(piece.arguments);
      draft.text += delta;
      if (known !== undefined && delta === '') return undefined;
      return { type: 'tool-call-delta', index: draft.position, id: draft.id, name: draft.name, delta };
    },
    finish: () => drafts.all.flatMap(eventsOf),
  };
  return assembler;
}

/** Fits every wire; a long prefix is shortened so that ids of different answers still differ. */
function ownId(prefix: string, position: number): string {
  if (prefix.length <= LONGEST_PREFIX) return `${prefix}_${position}`;
  const hash = createHash('sha256').update(prefix).digest('hex').slice(0, 16);
  return `call_${hash}_${position}`;
}

const LONGEST_PREFIX = 32;

function takeId({ byId }: Drafts, draft: Draft, id: string): void {
  draft.id = id;
  draft.ownId = true;
  const ids = byId.get(draft.index);
  if (ids === undefined) byId.set(draft.index, new Map([[id, draft]]));
  else ids.set(id, draft);
}

function find({ byIndex, byId }: Drafts, piece: ToolCallPiece): Draft | undefined {
  const same = piece.id ? byId.get(piece.index)?.get(piece.id) : undefined;
  if (same !== undefined) return same;
  const last = byIndex.get(piece.index);
  if (last === undefined || !piece.name || last.name === '') return last;
  // A new id with a name starts a new call; so does a name without an id once the arguments are complete.
  if (piece.id && last.ownId) return undefined;
  const isNext = !piece.id && !last.ownId && fragmentOf(piece.arguments) !== '' && isComplete(last);
  return isNext ? undefined : last;
}

/** Where JSON that grows ends, read once however often it is asked. */
interface JsonScan {
  /** Characters that were read. */
  at: number;
  depth: number;
  inString: boolean;
  escaped: boolean;
  /** Nothing but spaces so far. */
  blank: boolean;
  /** Its first value is over: JSON only if nothing but spaces follows. */
  over: boolean;
  /** Nothing that follows can make it JSON. */
  invalid: boolean;
}

/** No number or word in JSON that anybody sends as arguments is longer. */
const MAX_BARE = 100;

const newScan = (): JsonScan => ({
  at: 0,
  depth: 0,
  inString: false,
  escaped: false,
  blank: true,
  over: false,
  invalid: false,
});

/** True once the arguments are JSON: an object or a list that was closed, or another value. */
function isComplete({ text, scan }: Draft): boolean {
  if (scan.invalid || text === '') return false;
  for (; scan.at < text.length; scan.at += 1) step(scan, text.charAt(scan.at));
  if (scan.depth > 0 || scan.inString || scan.blank) return false;
  if (tryParseJson(text) !== undefined) return true;
  // A value in brackets is over; a bare one, such as the beginning of a word, may still become one while it is short.
  scan.invalid = scan.over || text.length > MAX_BARE;
  return false;
}

function step(scan: JsonScan, character: string): void {
  if (scan.blank && character.trim() !== '') scan.blank = false;
  if (scan.inString) {
    if (!scan.escaped && character === '"') scan.inString = false;
    scan.escaped = !scan.escaped && character === '\\';
  } else if (character === '"') scan.inString = true;
  else if (character === '{' || character === '[') scan.depth += 1;
  else if (character === '}' || character === ']') {
    scan.depth -= 1;
    scan.over = scan.depth <= 0;
  }
}

function fragmentOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function eventsOf(draft: Draft): ModelEvent[] {
  if (draft.custom !== undefined) return [callEvent(draft, { input: draft.text }, draft.custom)];
  const object = argumentsObject(draft.text);
  if (object !== undefined) return [callEvent(draft, object as JsonValue)];
  const message = `The arguments of the tool call "${draft.name}" are not a JSON object, so they were kept as text in "raw".`;
  return [{ type: 'warning', warning: { code: 'tool-arguments', message } }, callEvent(draft, {}, { raw: draft.text })];
}

function callEvent({ id, name, signature }: Draft, given: JsonValue, more: Partial<ToolCallPart> = {}): ModelEvent {
  const signed = signature === undefined ? {} : { signature };
  return { type: 'tool-call', call: { type: 'tool-call', id, name, arguments: given, ...signed, ...more } };
}
