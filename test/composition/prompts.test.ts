/** Prompts in files: what a folder may hold, which version a run uses, and who may name them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parsePrompt } from '../../src/composition/prompts/parse-prompt.ts';
import { listPrompts, PROMPT_BOUNDS, readPrompts } from '../../src/composition/prompts/prompt-files.ts';
import { assignedVersion, type PromptVersion } from '../../src/core/plan/prompts.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import { llm, t, workflow } from '../../src/workflow/index.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-prompts-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const file = (name: string, version: number, text: string, more = ''): string =>
  `---\nname: ${name}\nversion: ${version}\n${more}---\n${text}\n`;

const GREETING = {
  'greet-1.md': file('greet', 1, 'Greet {{who}} briefly.', 'inputs: [who]\nweight: 3\n'),
  'greet-2.md': file('greet', 2, 'Say hello to {{ who }}, warmly.', 'inputs:\n  who: a name\nweight: 1\n'),
  'notes.txt': 'not a prompt',
};

const plan = (prompt: unknown) => ({
  version: 1 as const,
  input: { name: 'string' },
  nodes: [{ id: 'hello', use: 'llm', in: { prompt } }],
});
const NAMED = { name: 'greet', inputs: { who: '{{input.name}}' } };

async function opened(folder: string | undefined, planner?: boolean) {
  const seen: string[] = [];
  const provider = fakeProvider({
    id: 'p',
    models: [fakeCard({ id: 'one' })],
    script: ({ request }) => {
      seen.push(JSON.stringify(request.operation === 'chat' ? request.messages : null));
      return 'hello';
    },
  });
  const stores = memoryStores();
  const polyphony = await createPolyphony({
    providers: [provider],
    defaults: false,
    stores,
    config: folder === undefined ? {} : { prompts: { folder, ...(planner === undefined ? {} : { planner }) } },
  });
  return { polyphony, seen, stores };
}

describe('a prompt in a file', () => {
  it('takes the place of its name, with its inputs, and stays in the journal', async () => {
    const folder = folderWith(GREETING);
    const { polyphony, seen } = await opened(folder);
    const pinned = plan({ ...NAMED, version: 2 });
    const run = await polyphony.run(pinned, { name: 'Ann' });
    expect(run.status).toBe('done');
    expect(seen[0]).toContain('Say hello to Ann, warmly.');
    expect(run.repaired).toMatchObject([
      { code: 'prompt.resolved', message: expect.stringContaining('version 2 of "greet"') },
    ]);
    // The files change, and the run that has begun keeps its text.
    writeFileSync(join(folder, 'greet-2.md'), file('greet', 2, 'Shout at {{who}}.', 'inputs: [who]\n'));
    await polyphony.reconfigure({ prompts: { folder } });
    const shown = await polyphony.runs.show(run.runId);
    expect(JSON.stringify(shown)).not.toContain('Shout');
    const fork = await polyphony.runs.fork(run.runId, { from: 'hello' });
    await fork.result();
    expect(seen[1]).toContain('Say hello to Ann, warmly.');
    await polyphony.run(pinned, { name: 'Ann' });
    expect(seen[2]).toContain('Shout at Ann.');
    await polyphony.close();
  });

  it('is chosen by weight, by the id of the run and nothing else, also for a plan that was validated before', async () => {
    const { polyphony, seen } = await opened(folderWith(GREETING));
    const { plan: valid } = await polyphony.validate(plan(NAMED));
    if (valid === undefined) throw new Error('the plan is not valid');
    let second = 0;
    for (let index = 0; index < 60; index += 1) {
      const runId = `run_${index}`;
      await polyphony.run(index % 2 === 0 ? plan(NAMED) : valid, { name: 'Ann' }, { runId });
      const isSecond = seen.at(-1)?.includes('warmly') === true;
      const versions = [
        { name: 'greet', version: 2, text: '', inputs: [], weight: 1 },
        { name: 'greet', version: 1, text: '', inputs: [], weight: 3 },
      ];
      expect(assignedVersion(versions, runId).version).toBe(isSecond ? 2 : 1);
      if (isSecond) second += 1;
    }
    expect(second).toBeGreaterThan(4);
    expect(second).toBeLessThan(30);
    await polyphony.close();
  });

  it('is named in a workflow of the plan, and by the builder', async () => {
    const { polyphony, seen } = await opened(folderWith(GREETING));
    const built = workflow({ id: 'hello', input: { name: 'string' } })
      .node('hello', llm, (c) => ({
        in: { prompt: { name: 'greet', version: 1, inputs: { who: t`dear ${c.input.name}` } } },
      }))
      .output((c) => ({ text: c.hello.text }));
    await polyphony.run(built, { name: 'Bea' });
    expect(seen[0]).toContain('Greet dear Bea briefly.');
    const member = { input: { name: 'string' }, nodes: plan({ ...NAMED, version: 1 }).nodes, output: '{{hello.text}}' };
    await polyphony.run(
      { version: 1, workflows: { inner: member }, nodes: [{ id: 'w', use: 'workflow:inner', in: { name: 'Cy' } }] },
      {},
    );
    expect(seen[1]).toContain('Greet Cy briefly.');
    await polyphony.close();
  });

  it('is refused with the reason where its name, version or inputs are wrong, or none can be named', async () => {
    const { polyphony } = await opened(folderWith(GREETING));
    const issuesOf = async (prompt: unknown) =>
      (await polyphony.validate(plan(prompt))).issues.filter(({ severity }) => severity === 'error');
    expect(await issuesOf({ name: 'great', version: 1 })).toMatchObject([
      { code: 'prompt.unknown', suggest: ['greet'] },
    ]);
    expect(await issuesOf({ ...NAMED, version: 7 })).toMatchObject([{ code: 'prompt.unknown', expected: [2, 1] }]);
    expect(await issuesOf({ name: 'greet' })).toMatchObject([{ code: 'prompt.inputs' }]);
    expect(await issuesOf({ name: 'greet', inputs: { who: 'x', tone: 'y' } })).toMatchObject([
      { code: 'prompt.inputs' },
    ]);
    expect(await issuesOf({ name: 'greet', inputs: { who: '{{= size(input.name)}}' } })).toMatchObject([
      { code: 'prompt.inputs' },
    ]);
    expect((await issuesOf({ name: 'greet', inputs: { who: '{{input.nobody}}' } }))[0]?.code).toBe('ref.unknown_input');
    // No name, and so a prompt of its own: JSON.
    expect(await issuesOf({ name: '../../etc/passwd', version: 1 })).toEqual([]);
    await polyphony.close();
    const none = await opened(undefined);
    expect((await none.polyphony.validate(plan({ name: 'greet', version: 1 }))).issues[0]?.code).toBe('prompt.none');
    await none.polyphony.close();
  });

  it.each([
    [undefined, false],
    [true, true],
  ])('is named by a planner only where the config allows it (%s)', async (planner, isAllowed) => {
    const folder = folderWith(GREETING);
    const answer = JSON.stringify({ ...plan({ ...NAMED, version: 1 }), goal: 'greet' });
    const provider = fakeProvider({ id: 'p', models: [fakeCard({ id: 'one' })], script: () => answer });
    const config = {
      prompts: { folder, ...(planner === undefined ? {} : { planner }) },
      planner: { model: 'p/one', rounds: 1 },
    };
    const polyphony = await createPolyphony({ providers: [provider], defaults: false, config });
    const planned = polyphony.plan('greet somebody');
    if (isAllowed) expect(JSON.stringify((await planned).plan.plan)).toContain('Greet {{input.name}} briefly.');
    else await expect(planned).rejects.toThrow(/prompt\.none|none can be named/);
    await polyphony.close();
  });
});

describe('a folder of prompts', () => {
  it('is read without links, without long files, and with each version once', async () => {
    const folder = folderWith({
      ...GREETING,
      'again.md': file('greet', 2, 'Other {{who}}.', 'inputs: [who]\n'),
      'long.md': file('long', 1, 'x'.repeat(PROMPT_BOUNDS.bytes)),
      'bytes.md': 'to be replaced',
    });
    writeFileSync(join(folder, 'bytes.md'), Buffer.from([0xff, 0xfe, 0x00]));
    writeFileSync(join(folder, 'secret.txt'), file('secret', 1, 'Nobody sees this.'));
    symlinkSync(join(folder, 'secret.txt'), join(folder, 'link.md'));
    mkdirSync(join(folder, 'folder.md'));
    const problems = new Map((await listPrompts(folder)).map(({ file: name, problem }) => [name, problem]));
    expect(problems.get('greet-1.md')).toBeUndefined();
    expect(problems.get('greet-2.md')).toContain('again.md already');
    expect(problems.get('long.md')).toContain('longer than');
    expect(problems.get('link.md')).toContain('symbolic link');
    expect(problems.get('folder.md')).toContain('no file');
    expect(problems.get('bytes.md')).toContain('UTF-8');
    expect(problems.has('notes.txt')).toBe(false);
    await expect(readPrompts(folder)).rejects.toMatchObject({ code: 'invalid-config' });
    const linked = `${folder}-link`;
    symlinkSync(folder, linked);
    folders.push(linked);
    await expect(readPrompts(linked)).rejects.toThrow(/symbolic link/);
    await expect(readPrompts(join(folder, 'nowhere'))).rejects.toThrow(/ENOENT/);
  });

  it.each([
    ['no front matter at all', /front matter/],
    ['---\nname: a\nversion: 1\n', /front matter/],
    [file('a', 1, ''), /no text/],
    [file('A', 1, 'x'), /name/],
    [file('a', 0, 'x'), /version/],
    [file('a', 1, 'x', 'other: 1\n'), /nrecognized/],
    [file('a', 1, 'x', 'weight: -1\n'), /weight/],
    [file('a', 1, 'x {{who}}'), /not among the inputs/],
    [file('a', 1, 'x', 'inputs: [who]\n'), /not in the text/],
    [file('a', 1, 'x {{= 1 + 1}}'), /hold no input/],
    [file('a', 1, 'x {{input.ticket}}'), /hold no input/],
    [file('a', 1, 'x', 'description: &x [*x, *x]\n'), /aliases|description/],
    [file('a', 1, 'x', 'weight: [\n'), /YAML/],
  ])('refuses %j', (text, reason) => {
    const parsed = parsePrompt(text);
    expect('problem' in parsed ? parsed.problem : '').toMatch(reason);
  });

  it('reads any text without throwing, and keeps the shares of the weights', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (head, text) => {
        parsePrompt(head);
        parsePrompt(`---\n${head}\n---\n${text}`);
      }),
      { numRuns: 50 },
    );
    const versions = [5, 3, 2].map(
      (weight, index): PromptVersion => ({ name: 'a', version: 3 - index, text: 'x', inputs: [], weight }),
    );
    const counts = new Map<number, number>();
    for (let run = 0; run < 10_000; run += 1) {
      const { version } = assignedVersion(versions, `run_${run}`);
      counts.set(version, (counts.get(version) ?? 0) + 1);
    }
    expect([3, 2, 1].map((version) => Math.round((counts.get(version) ?? 0) / 1000))).toEqual([5, 3, 2]);
  });
});
