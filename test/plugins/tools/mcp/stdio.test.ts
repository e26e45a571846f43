/** Tools of MCP servers that run as programs, good ones and hostile ones. */
import { describe, expect, test, vi } from 'vitest';
import { mcp } from '../../../../plugins/tools/mcp.ts';
import { createPolyphony } from '../../../../src/index.ts';
import { child, opened, use } from './opened.ts';

vi.setConfig({ testTimeout: 30_000 });

describe('a good server', () => {
  test('offers its tools under its name, with their schemas, and marked by what they change', async () => {
    const world = await opened(child('good'));
    expect(world.steps()).toEqual(
      ['echo', 'post', 'typed', 'picture', 'fails', 'environment'].map((name) => `tool:srv/${name}`),
    );
    const steps = world.polyphony.catalogue().steps;
    expect(steps.get('tool:srv/post')?.sideEffects).toBe(true);
    expect(steps.get('tool:srv/echo')?.sideEffects).toBeUndefined();
    expect(await use(world, 'echo')).toMatchObject({ status: 'done', output: { result: 'echo: hi' } });
    expect(await use(world, 'typed')).toMatchObject({ status: 'done', output: { length: 2 } });
    const picture = { type: 'base64', data: 'AAAA', mediaType: 'image/png' };
    expect(await use(world, 'picture')).toMatchObject({ output: { result: { text: '', media_1: picture } } });
  });

  test('what is not marked as read-only waits for a person', async () => {
    const world = await opened(child('good'));
    const asked = await use(world, 'post');
    expect(asked).toMatchObject({ status: 'suspended', waiting: [{ data: { tool: 'srv/post' } }] });
    const open = await opened(child('good', { approve: 'none' }));
    expect(await use(open, 'post')).toMatchObject({ output: { result: 'post: hi' } });
    const strict = await opened(child('good', { approve: 'all' }));
    expect(await use(strict, 'echo')).toMatchObject({ status: 'suspended' });
  });

  test('its error is the error of the tool, and a wrong input is not sent', async () => {
    const world = await opened(child('good'));
    const failed = await use(world, 'fails');
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'tool-failed' } });
    expect(failed.error?.message).toContain('No such thing.');
    await expect(use(world, 'echo', { text: 3 })).rejects.toThrow(/type\.mismatch/);
  });

  test('it gets the variables that are named, no others, and they do not come back', async () => {
    const secret = 'token-abcdefgh';
    process.env.OPENAI_API_KEY = 'sk-of-somebody-else';
    try {
      const env = { OWN_TOKEN: { env: 'MY_TOKEN' } };
      const world = await opened(child('good', { env }), { MY_TOKEN: secret });
      expect(await use(world, 'environment')).toMatchObject({ output: { result: '{"own":"[secret]"}' } });
    } finally {
      delete process.env.OPENAI_API_KEY;
    }
    await expect(opened(child('good', { env: { OWN_TOKEN: { env: 'NONE' } } }))).rejects.toThrow(
      /NONE, which is not set/,
    );
  });

  test('a reference in a variable is read where the variable was, and not in this process', async () => {
    const env = { OWN_TOKEN: { env: 'MY_TOKEN' } };
    const world = await opened(child('good', { env }), { MY_TOKEN: 'env:VAULT_TOKEN', VAULT_TOKEN: 'token-given' });
    expect(await use(world, 'environment')).toMatchObject({ output: { result: '{"own":"[secret]"}' } });
    process.env.VAULT_TOKEN = 'token-of-this-process';
    try {
      const other = opened(child('good', { env }), { MY_TOKEN: 'env:VAULT_TOKEN' });
      await expect(other).rejects.toThrow(/MY_TOKEN, which is not set/);
    } finally {
      delete process.env.VAULT_TOKEN;
    }
  });

  test('only the tools that are wanted are offered', async () => {
    const world = await opened(child('good', { tools: ['echo'] }));
    expect(world.steps()).toEqual(['tool:srv/echo']);
  });
});

describe('a hostile server', () => {
  test.each([
    ['huge', 200, 'more than 200 tools'],
    ['endless', 20, 'does not end'],
    ['same-page', 1, 'does not end'],
    ['no-list', 0, ''],
  ])('with a list that is %s has %i tools', async (behaviour, count, told) => {
    const world = await opened(child(behaviour));
    expect(world.steps()).toHaveLength(count);
    expect(world.logged.join('\n')).toContain(told);
  });

  test('with schemas that cannot be used loses those tools, and regular expressions', async () => {
    const world = await opened(child('bad-schemas'));
    expect(world.steps()).toEqual(['tool:srv/pattern', 'tool:srv/echo']);
    for (const name of ['list', 'number', 'elsewhere', 'endless_ref', 'large', 'proto'])
      expect(world.logged.join('\n')).toContain(`input schema of ${name}`);
    expect(JSON.stringify(world.polyphony.catalogue().steps.get('tool:srv/pattern')?.input)).not.toContain('(a+)+');
  });

  test('with names of prototypes reaches no prototype', async () => {
    const world = await opened(child('names'));
    expect(world.steps()).toEqual(['tool:srv/__proto__', 'tool:srv/constructor']);
    expect(await use(world, '__proto__')).toMatchObject({ output: { result: '__proto__: hi' } });
    expect(({} as Record<string, unknown>).text).toBeUndefined();
  });

  test('that is slow is left after its time, and when the run is cancelled', async () => {
    const world = await opened(child('slow', { timeoutMs: 300 }));
    const late = await use(world, 'echo');
    expect(late.error).toMatchObject({ code: 'tool-failed' });
    expect(late.error?.message).toContain('300 ms');
    const patient = await opened(child('slow'));
    const controller = new AbortController();
    const running = use(patient, 'echo', { text: 'x' }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    expect(await running).toMatchObject({ status: 'cancelled' });
  });

  test('that dies in a call fails the call, and is started again for the next', async () => {
    const world = await opened(child('dies'));
    const first = await use(world, 'echo');
    expect(first.error).toMatchObject({ code: 'tool-failed', retryable: true });
    expect(first.error?.message).toContain('ended, or was lost');
    // It lists its tools again, so it runs.
    expect((await use(world, 'echo')).error?.message).toContain('ended, or was lost');
  });

  test.each(['silent', 'endless-line'])('that is %s has no tools, and holds nobody up', async (behaviour) => {
    const world = await opened(child(behaviour, { startMs: 1000 }));
    expect(world.steps()).toEqual([]);
    expect(world.logged.join('\n')).toContain('could not be started');
  });

  test('a program that is not there has no tools', async () => {
    const world = await opened({ command: '/nowhere/at/all' });
    expect(world.steps()).toEqual([]);
  });

  test('with a large result has it cut', async () => {
    const world = await opened(child('large'));
    const { output } = await use(world, 'echo');
    const { result } = output as { readonly result: string };
    expect(result.length).toBeLessThan(263_000);
    expect(result).toContain('cut after 262144 of 300000');
  });

  test('that changes its list in a call: new runs see the new list, and what changed asks', async () => {
    const world = await opened(child('changes', { approve: 'writes' }));
    expect(world.steps()).toEqual(['tool:srv/echo', 'tool:srv/post']);
    expect(await use(world, 'echo')).toMatchObject({ output: { result: 'echo: hi' } });
    await vi.waitFor(() => expect(world.steps()).toEqual(['tool:srv/echo']), 5000);
    expect(world.polyphony.catalogue().steps.get('tool:srv/echo')?.description).toBe('Now with more.');
    expect(await use(world, 'echo')).toMatchObject({ status: 'suspended' });
  });

  test('that finds new names without end has its later ones approved', async () => {
    const world = await opened(child('renames'));
    for (let round = 0; round < 5; round += 1) {
      expect(await use(world, `tool_${round}_0`)).toMatchObject({ status: 'done' });
      await vi.waitFor(() => expect(world.steps()).toContain(`tool:srv/tool_${round + 1}_0`), 5000);
    }
    expect(await use(world, 'tool_5_0')).toMatchObject({ status: 'suspended' });
  });

  test('that tells of changes without end is read a few times only', async () => {
    const world = await opened(child('flood'));
    expect(await use(world, 'echo')).toMatchObject({ status: 'done' });
    expect(world.steps()).toHaveLength(6);
  });
});

test.each([
  [{ A: { command: 'x' } }, /cannot be named so/],
  [{ a: {} }, /either "command" or "url"/],
  [{ a: { command: 'x', url: 'https://example.org' } }, /either "command" or "url"/],
  [{ a: { url: 'http://example.org' } }, /not encrypted/],
  [{ a: { url: 'https://me:secret@example.org' } }, /holds a user or a password/],
  [{ a: { url: 'nowhere' } }, /no address/],
  [{ a: { command: 'x', timeoutMs: 0 } }, /timeoutMs/],
  [Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`s${at}`, { command: 'x' }])), /at most 20/],
])('servers %j are refused', (servers, message) => {
  expect(() => mcp({ servers: servers as never })).toThrow(message);
});

test('the config names servers too, and its mistakes are named', async () => {
  const { command, args } = child('good');
  const server = { command, args } as never;
  const polyphony = await createPolyphony({ config: { mcp: { notes: server } }, providers: [] });
  expect([...polyphony.catalogue().steps.keys()]).toContain('tool:notes/echo');
  await polyphony.close();
  await expect(createPolyphony({ config: { mcp: { notes: {} } } })).rejects.toThrow(/mcp\.notes/);
});
