import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { joinedSignal, onAbort } from '../../src/core/on-abort.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('onAbort', () => {
  it('calls every follower once, in order, and leaves no listener', () => {
    const { signal, abort } = controller();
    const called: number[] = [];
    for (let index = 0; index < 50; index += 1) onAbort(signal, () => called.push(index));
    expect(listeners(signal)).toBe(1);
    abort();
    abort();
    expect(called).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(listeners(signal)).toBe(0);
  });

  it('removes its listener with the last follower, and adds it again for a new one', () => {
    const { signal, abort } = controller();
    const called: string[] = [];
    const stops = ['a', 'b'].map((name) => onAbort(signal, () => called.push(name)));
    for (const stop of [...stops, ...stops]) stop();
    expect(listeners(signal)).toBe(0);
    onAbort(signal, () => called.push('c'));
    abort();
    expect(called).toEqual(['c']);
  });

  it('keeps two uses of one function apart', () => {
    const { signal, abort } = controller();
    let calls = 0;
    const follower = (): void => {
      calls += 1;
    };
    const stop = onAbort(signal, follower);
    onAbort(signal, follower);
    stop();
    abort();
    expect(calls).toBe(1);
  });

  it('does not call a follower that another one stops', () => {
    const { signal, abort } = controller();
    let stopSecond = (): void => {};
    onAbort(signal, () => stopSecond());
    stopSecond = onAbort(signal, () => expect.unreachable());
    abort();
  });

  it('does nothing for a signal that has aborted', () => {
    const signal = AbortSignal.abort();
    onAbort(signal, () => expect.unreachable())();
    expect(listeners(signal)).toBe(0);
  });

  it('calls the others when one throws, whose error is not swallowed', async () => {
    const { signal, abort } = controller();
    const wrong = new Error('a follower that throws');
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
    let called = false;
    onAbort(signal, () => {
      throw wrong;
    });
    onAbort(signal, () => {
      called = true;
    });
    const others = process.listeners('uncaughtException').slice(0, -1);
    for (const listener of others) process.off('uncaughtException', listener);
    abort();
    expect(await thrown).toBe(wrong);
    for (const listener of others) process.on('uncaughtException', listener);
    expect(called).toBe(true);
  });
});

function controller(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const made = new AbortController();
  return { signal: made.signal, abort: () => made.abort() };
}

describe('joinedSignal', () => {
  it('aborts with the first of its signals, for its reason, and leaves nothing on the others', () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const { signal, release } = joinedSignal([one.signal, two.signal]);
    expect([listeners(one.signal), listeners(two.signal), signal.aborted]).toEqual([1, 1, false]);
    two.abort('enough');
    expect([signal.aborted, signal.reason]).toEqual([true, 'enough']);
    one.abort('late');
    expect(signal.reason).toBe('enough');
    release();
    expect([listeners(one.signal), listeners(two.signal)]).toEqual([0, 0]);
  });

  it('follows nothing once it is released', () => {
    const { signal: given, abort } = controller();
    const { signal, release } = joinedSignal([given]);
    release();
    expect(listeners(given)).toBe(0);
    abort();
    expect(signal.aborted).toBe(false);
  });

  it('has aborted already where one of its signals has', () => {
    const { signal } = joinedSignal([new AbortController().signal, AbortSignal.abort('before')]);
    expect([signal.aborted, signal.reason]).toEqual([true, 'before']);
  });
});
