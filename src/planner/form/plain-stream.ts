/** A plan in another form becomes one in the form of the format while it is written: each node when it is whole. */
import { createMemberReader, type JsonMember } from '../../kit/json/json-members.ts';
import { plainMembers, plainNode } from './plain-plan.ts';
import { plainText } from './plan-form.ts';
import type { Shape } from './plan-shape.ts';

export interface PlainStream {
  /** Takes more of what is written; returns what follows of the plan. */
  push(text: string): string;
}

/** @param maxLength the most that is read, in UTF-16 units */
export function plainStream(shape: Shape, maxLength: number): PlainStream {
  const reader = createMemberReader({ array: 'nodes', maxLength, isFirst: true });
  let written = '';
  const next = (member: JsonMember): string => {
    const text = member.element === undefined ? membersText(member, shape) : nodeText(member.text, shape);
    if (text === '') return '';
    const before = separator(written, member.element);
    written = member.element === undefined ? 'member' : 'node';
    return before + text;
  };
  return {
    push: (text) =>
      reader
        .push(text)
        .map((member) => next(member))
        .join(''),
  };
}

/** What stands between the last part and this one; the whole plan is read from the complete answer, so the end stays open. */
function separator(written: string, element: number | undefined): string {
  const isNode = element !== undefined;
  if (written === '') return isNode ? '{"nodes":[' : '{';
  if (written === 'node') return isNode ? ',' : '],';
  return isNode ? ',"nodes":[' : ',';
}

const nodeText = (text: string, shape: Shape): string => plainText(text, (node) => plainNode(node, shape));

function membersText({ key, text }: JsonMember, shape: Shape): string {
  try {
    // Nodes among the pairs of `more` count only where none stand beside them, which is not known yet.
    const members = Object.entries(plainMembers(key, JSON.parse(text), shape)).filter(([name]) => name !== 'nodes');
    return members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
  } catch {
    // A member that is no JSON: the complete answer is read, or refused, as a whole.
    return '';
  }
}
