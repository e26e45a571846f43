/** The ids of the system: programs and stores keep them for long, and by the hundred thousand. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { systemIds } from '../../src/system/clock.ts';

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

function usedBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe('an id of the system', () => {
  it('has the time and ten random bytes, and comes once', () => {
    const made = Array.from({ length: 10_000 }, () => systemIds('call'));
    for (const id of made) expect(id).toMatch(/^call_[0-9a-f]{32}$/);
    expect(new Set(made).size).toBe(made.length);
  });

  it('holds nothing but itself for as long as it is kept', () => {
    const kept: string[] = [];
    const before = usedBytes();
    // One of many, as a program keeps the ids of its runs and forgets those of their calls.
    for (let made = 0; made < 512_000; made += 1) {
      const id = systemIds('run');
      if (made % 256 === 0) kept.push(id);
    }
    expect((usedBytes() - before) / kept.length).toBeLessThan(1000);
  });
});
