/** A plan that runs otherwise than it was written is told on the terminal, and in each document that programs read. */
import { expect, it } from 'vitest';
import { call, folderWith } from './call.ts';

const PLAN = {
  version: 1,
  nodes: [{ id: 'page_text', use: 'value', in: { words: 'ferry' } }],
  output: '{{pageText.words}}',
};
const TOLD = 'repaired /output: "pageText.words" was replaced with "page_text.words".';
const REPAIRED = [expect.objectContaining({ code: 'name.corrected', path: '/output' })];

it('is told where people read, once, and stands in the documents', async () => {
  process.chdir(folderWith({ 'a.plan.json': PLAN }));
  const store = ['--store', 'a.db'];
  const ran = await call(...store, 'run', 'a.plan.json');
  expect(ran).toMatchObject({ code: 0, out: 'ferry\n' });
  expect(ran.err.split(TOLD)).toHaveLength(2);
  expect((await call(...store, 'run', 'a.plan.json', '--quiet')).err).toBe('');
  expect((await call(...store, 'graph', 'a.plan.json')).err).toContain(TOLD);
  expect((await call(...store, 'estimate', 'a.plan.json')).err).toContain(TOLD);
  expect((await call(...store, 'validate', 'a.plan.json')).out).toContain(TOLD);

  const document = JSON.parse((await call(...store, '--json', 'run', 'a.plan.json')).out);
  expect(document).toMatchObject({ status: 'done', repaired: REPAIRED });
  const [started] = (await call(...store, 'run', 'a.plan.json', '--events')).out.split('\n');
  expect(JSON.parse(started ?? '')).toMatchObject({ type: 'run-started', repaired: REPAIRED });
  expect(JSON.parse((await call(...store, '--json', 'runs', 'show', document.runId)).out)).toMatchObject({
    repaired: REPAIRED,
  });
});
