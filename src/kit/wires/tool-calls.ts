/**
 * Tool calls from their pieces. Providers key pieces by index, but some repeat index 0 for every call (their ids differ),
 * repeat the name in each piece, send arguments as an object, or leave ids out.
 */
import type { JsonValue, ModelEvent, ToolCallPart } from '../../core/model/model.ts';
import { tryParseJson } from '../json/json-shape.ts';

export interface ToolCallPiece {
  /** The provider's own index. */
  readonly index: number;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  /** A fragment of JSON text, or the arguments themselves. */
  readonly arguments?: unknown;
  readonly signature?: string | undefined;
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
}

/** `idPrefix` is for calls without an id; it should differ between answers. */
export function toolCallAssembler(idPrefix: () => string = () => 'call'): ToolCallAssembler {
  const drafts: Draft[] = [];

  const open = (piece: ToolCallPiece): Draft => {
    const draft: Draft = {
      position: drafts.length,
      index: piece.index,
      id: piece.id || `${idPrefix()}_${drafts.length}`,
      ownId: Boolean(piece.id),
      name: '',
      text: '',
      signature: undefined,
    };
    drafts.push(draft);
    return draft;
  };

  return {
    push(piece) {
      const known = find(drafts, piece);
      const draft = known ?? open(piece);
      if (piece.id && !draft.ownId) {
        draft.id = piece.id;
        draft.ownId = true;
      }
      if (piece.name && draft.name === '') draft.name = piece.name;
      draft.signature ??= piece.signature;
      const delta = fragmentOf(piece.arguments);
      draft.text += delta;
      if (known !== undefined && delta === '') return undefined;
      return { type: 'tool-call-delta', index: draft.position, id: draft.id, name: draft.name, delta };
    },
    finish: () => drafts.flatMap(eventsOf),
    get count() {
      return drafts.length;
    },
  };
}

function find(drafts: readonly Draft[], piece: ToolCallPiece): Draft | undefined {
  if (piece.id) {
    const same = drafts.findLast((draft) => draft.ownId && draft.id === piece.id && draft.index === piece.index);
    if (same !== undefined) return same;
  }
  const last = drafts.findLast((draft) => draft.index === piece.index);
  if (last === undefined || !piece.name || last.name === '') return last;
  // A new id with a name starts a new call; so does a name without an id once the arguments are complete.
  if (piece.id && last.ownId) return undefined;
  const complete = !piece.id && !last.ownId && last.text !== '' && tryParseJson(last.text) !== undefined;
  return complete && fragmentOf(piece.arguments) !== '' ? undefined : last;
}

function fragmentOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function eventsOf(draft: Draft): ModelEvent[] {
  const known = { type: 'tool-call', id: draft.id, name: draft.name } as const;
  const signed = draft.signature === undefined ? {} : { signature: draft.signature };
  const parsed = draft.text.trim() === '' ? {} : tryParseJson(draft.text);
  if (parsed !== undefined) return [callEvent({ ...known, arguments: parsed as JsonValue, ...signed })];
  const message = `The arguments of the tool call "${draft.name}" are not valid JSON, so they were kept as text in "raw".`;
  return [
    { type: 'warning', warning: { code: 'tool-arguments', message } },
    callEvent({ ...known, arguments: {}, raw: draft.text, ...signed }),
  ];
}

const callEvent = (call: ToolCallPart): ModelEvent => ({ type: 'tool-call', call });
