/** A client is read no faster than it reads, whatever it writes. */
import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { pacedInput } from '../../../src/cli/mcp/paced-input.ts';

const LINE = `${'x'.repeat(99)}\n`;
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Takes what it is given only when it is told. */
function slowOutput(): Writable & { read: () => void } {
  let taken: (() => void) | undefined;
  const output = new Writable({
    highWaterMark: 1000,
    write(_chunk, _encoding, done) {
      taken = done;
    },
  });
  const read = (): void => {
    const done = taken;
    taken = undefined;
    done?.();
  };
  return Object.assign(output, { read });
}

/** Each line is answered by one of the same length. */
function answering(output: Writable) {
  const input = new PassThrough();
  let lines = 0;
  pacedInput(input, output).on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n').slice(0, -1)) {
      lines += 1;
      output.write(`${line}\n`);
    }
  });
  return { input, lines: () => lines };
}

test('one that reads nothing is not read on, and is when it reads', async () => {
  const output = slowOutput();
  const { input, lines } = answering(output);
  input.write(LINE.repeat(600));
  await turns(200);
  const before = lines();
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(100);
  for (let reads = 0; reads < 1000; reads += 1) {
    output.read();
    await turns(1);
  }
  expect(lines()).toBe(600);
});

test('one that is gone is read to its end, so that the end is seen', async () => {
  const output = slowOutput();
  output.on('error', () => {});
  const { input, lines } = answering(output);
  let hasEnded = false;
  input.on('end', () => {
    hasEnded = true;
  });
  input.end(LINE.repeat(600));
  await turns(50);
  expect(lines()).toBeLessThan(100);
  output.destroy();
  await turns(200);
  expect([lines(), hasEnded]).toEqual([600, true]);
});

test('a long message is not cut into pieces beyond those that it came in', async () => {
  const input = new PassThrough({ highWaterMark: 1_000_000 });
  const pieces: number[] = [];
  pacedInput(input, new PassThrough()).on('data', (chunk: Buffer) => pieces.push(chunk.length));
  input.write('y'.repeat(60_000));
  await turns(10);
  expect(pieces).toEqual([60_000]);
});
