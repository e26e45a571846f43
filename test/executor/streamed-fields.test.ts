/** Nodes that are undone, end a run or keep errors, in a plan that is still being written. */
import { describe, expect, it } from 'vitest';
import { openDraft } from '../../src/validator/draft.ts';
import { catalogue, SEND } from '../validator/catalogue.ts';

const send = (more: object) => ({ id: 'mail', use: 'tool:send-mail', in: { to: 'x', body: 'y' }, ...more });

function drafted(...nodes: object[]) {
  const draft = openDraft(catalogue({ steps: [SEND] }));
  return draft
    .push(`{"version":1,"failFast":false,"nodes":${JSON.stringify(nodes)}}`)
    .map(({ valid, mayStart }) => [valid.node.id, mayStart]);
}

describe('a plan that is still being written', () => {
  it('gives nodes with the new fields, and starts only what changes nothing', () => {
    const ask = { id: 'page', use: 'llm', in: { prompt: 'x' }, onError: { keep: true } };
    const early = { id: 'early', use: 'value', when: 'page.meta.error != null', in: { a: 1 }, finish: true };
    const undone = send({ undo: { use: 'tool:send-mail', in: { to: 'x', body: '{{page.text}}' } } });
    expect(drafted(ask, early, undone)).toEqual([
      ['page', true],
      ['early', true],
      ['mail', false],
    ]);
  });

  it('waits with a node whose undoing is wrong', () => {
    expect(drafted(send({ undo: 'tool:nothing' }))).toEqual([]);
    expect(drafted(send({ undo: { use: 'tool:send-mail', in: { to: '{{later.to}}', body: 'y' } } }))).toEqual([]);
  });
});
