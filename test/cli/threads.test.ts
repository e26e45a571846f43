/** A plan with a thread, run twice by the command, and the commands for what it remembers. */
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, folderWith } from './call.ts';

const root = resolve(import.meta.dirname, '../..');
const plan = join(root, 'examples/plans/chat.plan.json');
const store = join(folderWith(), 'store.db');
const config = join(
  folderWith({ 'c.json': { plugins: [join(root, 'scripts/examples/scripted-models.ts')] } }),
  'c.json',
);

beforeAll(() => {
  process.env.SCRIPTED_ANSWERS = join(root, 'examples/plans/chat.models.json');
});
afterAll(() => {
  delete process.env.SCRIPTED_ANSWERS;
});

const threads = (...given: readonly string[]) => call('--store', store, '--config', config, 'threads', ...given);

async function say(user: string, text: string): Promise<unknown> {
  const given = ['-i', `user=${user}`, '-i', `text=${text}`];
  const { out } = await call('--store', store, '--config', config, '--json', 'run', plan, ...given);
  return (JSON.parse(out) as { readonly output: unknown }).output;
}

describe('a conversation by the command', () => {
  it('is remembered from run to run, for each person, until it is deleted', async () => {
    expect((await threads()).err).toContain('no threads');
    expect(await say('ann', 'My name is Ann.')).toBe('Nice to meet you, Ann.');
    expect(await say('ann', 'What is my name?')).toBe('Your name is Ann.');
    expect(await say('ben', 'What is my name?')).toBe('You have not told me your name.');

    const listed = JSON.parse((await threads('list', '--json')).out) as readonly object[];
    expect(listed).toMatchObject([
      { key: 'chat of ben', entries: 1 },
      { key: 'chat of ann', entries: 2 },
    ]);
    expect((await threads('list')).out).toContain('chat of ann');
    const shown = await threads('show', 'chat of ann', '--json');
    expect(JSON.parse(shown.out)).toMatchObject({
      key: 'chat of ann',
      entries: [{ question: 'My name is Ann.' }, { question: 'What is my name?', answer: 'Your name is Ann.' }],
    });
    expect((await threads('show', 'chat of ann', '-n', '1')).out).toContain('Your name is Ann.');

    expect((await threads('delete', 'chat of ann')).err).toContain('add --yes');
    expect(await threads('delete', 'chat of ann', '--yes')).toMatchObject({ code: 0 });
    expect(await threads('delete', 'chat of ann', '--yes')).toMatchObject({ code: 1 });
    expect(await threads('show', 'chat of ann')).toMatchObject({ code: 1 });
    expect(await say('ann', 'What is my name?')).toBe('You have not told me your name.');
  });

  it('is removed with what is old', async () => {
    const pruned = await call('--store', store, 'store', 'prune', '--older', '0h', '--only', 'threads', '--yes');
    expect(pruned.out).toContain('and 2 threads');
    expect(JSON.parse((await threads('list', '--json')).out)).toEqual([]);
  });

  it('is not made by a mistyped store', async () => {
    for (const given of [
      ['show', 'a'],
      ['delete', 'a'],
    ])
      expect((await call('--store', join(folderWith(), 'none.db'), 'threads', ...given)).code).toBe(2);
  });
});
