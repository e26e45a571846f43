/** A text of the gateway's own for the model. */
import type { Message } from '../../core/model/model.ts';

/** Inserts after the existing system messages, so that prompt caches keep their prefix. */
export function withInstruction(messages: readonly Message[], text: string): readonly Message[] {
  const first = messages.findIndex(({ role }) => role !== 'system');
  const at = first === -1 ? messages.length : first;
  return [...messages.slice(0, at), { role: 'system', content: text }, ...messages.slice(at)];
}
