/** Plans that the command registers: the ready-made ones, and those that its config and its plugins name. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPolyphony, type Plan } from '../../src/index.ts';
import { call, folderWith } from './call.ts';

const saying = (id: string | undefined, word: string): Plan => ({
  version: 1,
  ...(id === undefined ? {} : { id }),
  input: { name: 'string' },
  nodes: [{ id: 'v', use: 'value', in: { text: `${word} {{input.name}}` } }],
  output: { text: '{{v.text}}' },
});
const using = (name: string, input: object): Plan => ({
  version: 1,
  nodes: [{ id: 'x', use: `workflow:${name}`, in: { ...input } }],
  output: '{{x}}',
});

describe('a plan file', () => {
  it('uses a ready-made workflow, one of the config and one of a plugin', async () => {
    const folder = folderWith({
      'polyphony.json': { workflows: ['./greet.plan.json'], plugins: ['./own.mjs'] },
      'greet.plan.json': saying('greet', 'hello'),
      'own.mjs': `export default { name: 'own', workflows: [${JSON.stringify(saying('part', 'bye'))}] }`,
      'note.md': 'The boat leaves at nine. It carries forty people.',
      'digest.plan.json': using('digest', { pattern: '*.md' }),
      'greeting.plan.json': using('greet', { name: 'Ada' }),
      'parting.plan.json': using('part', { name: 'Bo' }),
    });
    process.chdir(folder);
    const outputOf = async (file: string): Promise<unknown> => {
      const { out, err, code } = await call('--json', 'run', file);
      expect(code, err + out).toBe(0);
      return (JSON.parse(out) as { output: unknown }).output;
    };
    expect(await outputOf('greeting.plan.json')).toEqual({ text: 'hello Ada' });
    expect(await outputOf('parting.plan.json')).toEqual({ text: 'bye Bo' });
    expect(await outputOf('digest.plan.json')).toMatchObject({ files: ['note.md'] });
    // One of the config takes the place of the ready-made one.
    writeFileSync(join(folder, 'greet.plan.json'), JSON.stringify(saying('digest', 'mine')));
    writeFileSync(join(folder, 'digest.plan.json'), JSON.stringify(using('digest', { name: 'Cy' })));
    expect(await outputOf('digest.plan.json')).toEqual({ text: 'mine Cy' });
  });

  it.each([
    ['is missing', undefined, 'nowhere.plan.json'],
    ['has no id', saying(undefined, 'x'), '"id"'],
    ['has an id that no workflow may have', saying('No Name', 'x'), 'No Name'],
    ['is no plan', { a: 1 }, 'no plan'],
    ['is no JSON', '{', 'not JSON'],
  ])('of the config that %s is refused with its name', async (_, plan, told) => {
    const file = plan === undefined ? 'nowhere.plan.json' : 'bad.plan.json';
    process.chdir(
      folderWith({
        'polyphony.json': { workflows: [`./${file}`] },
        'good.plan.json': saying('good', 'x'),
        ...(plan === undefined ? {} : { [file]: plan }),
      }),
    );
    const { code, err } = await call('validate', 'good.plan.json');
    expect(code).not.toBe(0);
    expect(err).toContain(told);
    expect(err).toContain(file);
  });
});

describe('workflow:<id> on the command line', () => {
  const given = {
    'polyphony.json': {
      workflows: ['./greet.plan.json'],
      plugins: ['./own.mjs'],
      schedules: { hello: { cron: '0 7 * * *', timeZone: 'UTC', run: 'workflow:greet', input: { name: 'Ada' } } },
    },
    'greet.plan.json': { ...saying('greet', 'hello'), goal: 'Greet somebody' },
    'own.mjs': `export default { name: 'own', workflows: [${JSON.stringify(saying('part', 'bye'))}] }`,
  };

  it.each([
    ['of the config', 'workflow:greet', 'hello Ada'],
    ['of a plugin', 'workflow:part', 'bye Ada'],
  ])('runs one %s', async (_, name, text) => {
    process.chdir(folderWith(given));
    const { out, err, code } = await call('--json', 'run', name, '-i', 'name=Ada');
    expect(code, err + out).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: 'done', output: { text } });
  });

  it('is taken wherever a plan is', async () => {
    process.chdir(folderWith(given));
    expect(await call('validate', 'workflow:part')).toMatchObject({ code: 0, out: expect.stringContaining('valid') });
    expect(await call('estimate', 'workflow:greet')).toMatchObject({ code: 0 });
    expect(await call('graph', 'workflow:part', '-f', 'mermaid')).toMatchObject({ out: expect.stringContaining('v') });
    expect(await call('schedule', '--list')).toMatchObject({ code: 0, out: expect.stringContaining('workflow:greet') });
    expect(await call('validate', 'workflow:triage')).toMatchObject({ code: 0 });
  });

  it.each(['run', 'validate', 'estimate', 'graph'])(
    '%s tells the nearest names of one that is not there',
    async (word) => {
      process.chdir(folderWith(given));
      const { code, err } = await call(word, 'workflow:gret');
      expect(code).toBe(2);
      expect(err).toContain('There is no workflow "gret": did you mean "greet"?');
      expect((await call(word, 'workflow:zzzzzz')).err).toMatch(
        /choose one of approve, ask, .*polyphony workflows" lists/,
      );
    },
  );

  it('is listed with who brings it, and printed as a plan', async () => {
    process.chdir(folderWith(given));
    const listed = JSON.parse((await call('--json', 'workflows')).out) as { id: string; from: string }[];
    expect(listed.map(({ id, from }) => `${id} ${from}`)).toEqual([
      'approve package',
      'ask package',
      'code-review package',
      'compare package',
      'digest package',
      'extract package',
      'greet config',
      'illustrate package',
      'part plugin own',
      'research package',
      'support package',
      'translate-review package',
      'triage package',
    ]);
    expect(listed.find(({ id }) => id === 'greet')).toMatchObject({ goal: 'Greet somebody', input: ['name'] });
    const table = (await call('workflows')).out;
    expect(table).toMatch(/greet +config +name +Greet somebody/);
    const { out } = await call('workflows', 'workflow:part');
    expect(JSON.parse(out)).toEqual(saying('part', 'bye'));
    expect(await call('workflows', 'parts')).toMatchObject({ code: 2, err: expect.stringContaining('"part"') });
  });
});

describe('a plan given to createPolyphony', () => {
  it('is registered under its id, as one of a plugin is', async () => {
    const plugin = { name: 'own', workflows: [saying('part', 'bye')] };
    const polyphony = await createPolyphony({ workflows: [saying('greet', 'hello')], plugins: [plugin] });
    expect(await polyphony.run(using('greet', { name: 'A' }))).toMatchObject({ output: { text: 'hello A' } });
    expect(await polyphony.run(using('part', { name: 'B' }))).toMatchObject({ output: { text: 'bye B' } });
    await polyphony.close();
    const twice = createPolyphony({ workflows: [saying('part', 'other')], plugins: [plugin] });
    await expect(twice).rejects.toMatchObject({ code: 'invalid-config' });
    const nameless = createPolyphony({ plugins: [{ name: 'own', workflows: [saying(undefined, 'x')] }] });
    await expect(nameless).rejects.toThrow(/"own".*no id/);
    const wrong = createPolyphony({ plugins: [{ name: 'own', workflows: 'x' as never }] });
    await expect(wrong).rejects.toThrow(/workflows.*"own"/);
  });
});
