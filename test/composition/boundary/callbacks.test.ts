/** Callbacks may be asynchronous: a gate is waited for, and nothing that one rejects with ends the process. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { guardedListener } from '../../../src/core/user-code/guarded-listener.ts';
import { createPolyphony } from '../../../src/index.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/index.ts';
import { compiled } from '../../compiled.ts';

const root = join(import.meta.dirname, '../../..');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function play(name: string): Promise<Ended> {
  const child = compiled('test/composition/boundary/rejecting-child.ts');
  return new Promise((resolve) => {
    const process_ = spawn(process.execPath, ['--unhandled-rejections=strict', child, name], { cwd: root });
    let out = '';
    let err = '';
    process_.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    process_.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    process_.on('close', (code) => resolve({ code, out, err }));
  });
}

/** A process each: `npm test` plays every second one, CI all. */
const step = Number(process.env.POLYPHONY_STEP ?? 2);

describe('a process in which a callback rejects', () => {
  const callbacks: readonly (readonly [string, string | undefined])[] = [
    ['onEvent', 'done paid=1'],
    ['onEvent of another kind', 'done paid=1'],
    ['logger', 'done paid=1'],
    ['onPlan', 'failed paid=0'],
    ['onPlan of a whole plan', undefined],
    ['onDelta', 'the callback rejects paid=0'],
    ['onCall', 'the callback rejects paid=0'],
    ['onAnswer', 'the callback rejects paid=0'],
    ['node', 'paid=0'],
    ['rank', 'failed paid=0'],
    ['request', 'failed paid=0'],
    ['close', 'done paid=1'],
  ];
  it.each(callbacks.filter((_, index) => index % step === 0))('lives: %s', { timeout: 60_000 }, async (name, said) => {
    const { code, out, err } = await play(name);
    if (said === undefined) {
      // Planned before the run exists, so the start itself rejects with it, which the caller has to take.
      expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('the callback rejects') });
      return;
    }
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(said);
  });
});

describe('a gate', () => {
  const plan = { version: 1, nodes: [{ id: 'a', use: 'tool:pay' }], output: '{{a}}' };
  const card = fakeCard({
    id: 'm',
    tier: 'premium',
    capabilities: ['text', 'streaming', 'json-mode', 'system', 'planning'],
  });

  it.each([true, false])('is waited for before anything with side effects starts; streaming: %s', async (streaming) => {
    let isOpen = false;
    const seen: boolean[] = [];
    const pay = async () => seen.push(isOpen);
    const tool = { name: 'pay', description: 'Pays.', input: {}, sideEffects: true, run: pay };
    const polyphony = await createPolyphony({
      defaults: false,
      plugins: [{ name: 'pay', tools: [tool] }],
      providers: [fakeProvider({ models: [card], script: () => JSON.stringify(plan) })],
    });
    const onPlan = async () => {
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      isOpen = true;
    };
    const result = await (await polyphony.start('pay it', {}, { streaming, onPlan })).result();
    expect(result.status).toBe('done');
    expect(seen).toEqual([true]);
    await polyphony.close();
  });
});

describe('a guarded listener', () => {
  it('never throws, and passes on what the listener throws or rejects with', async () => {
    const failures: unknown[] = [];
    const note = (error: unknown) => void failures.push(error);
    guardedListener(() => {
      throw 'at once';
    }, note)();
    guardedListener(async () => Promise.reject('later'), note)();
    guardedListener(async () => Promise.reject('nobody listens'))();
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual(['at once', 'later']);
  });
});
