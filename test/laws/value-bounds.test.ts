/**
 * The law of bounded values: no plan of at most 64 KiB ends the process, however its values grow. A real process with a
 * heap of 256 MiB runs plans that double, carry, nest, loop and stream; each ends by itself, most of them at a bound.
 *
 * POLYPHONY_GROWING_PLANS: how many generated plans are run. @default 4; CI runs 8
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { compiled } from '../compiled.ts';
import { type GrowingPlan, growingPlans, NAMED_PLANS, PLAN_BYTES } from './growing-plans.ts';

const GENERATED = Number(process.env.POLYPHONY_GROWING_PLANS ?? 4);
/** Every how many of the named plans is run over a file. */
const EVERY = GENERATED > 4 ? 1 : 4;
const HEAP_MEBIBYTES = 256;
const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'polyphony-values-'));

interface Ended {
  readonly name: string;
  readonly status?: string;
  readonly code?: string;
  readonly message?: string;
}

/** The last line of each plan; a plan that ended the process has no status. */
function runAll(
  plans: readonly GrowingPlan[],
  name: string,
  store: readonly string[] = [],
): Promise<ReadonlyMap<string, Ended>> {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(plans));
  const child = compiled('test/laws/value-bounds-child.ts');
  return new Promise((settle) => {
    const process_ = spawn(process.execPath, [`--max-old-space-size=${HEAP_MEBIBYTES}`, child, file, ...store], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    process_.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    process_.on('close', () => {
      const lines = out.split('\n').filter((line) => line !== '');
      const ended = lines.map((line) => JSON.parse(line) as Ended);
      settle(new Map(ended.map((line) => [line.name, line])));
    });
  });
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('values of a run', () => {
  it('end no process, whatever a named plan does to make them grow', { timeout: 600_000 }, async () => {
    for (const { plan } of NAMED_PLANS) expect(JSON.stringify(plan).length).toBeLessThanOrEqual(PLAN_BYTES);
    const ended = await runAll(NAMED_PLANS, 'named');
    for (const { name } of NAMED_PLANS) {
      expect(ended.get(name), name).toMatchObject({ status: expect.stringMatching(/^(?:done|failed)$/) });
      if (ended.get(name)?.status === 'failed') expect(ended.get(name), name).toMatchObject({ code: 'limit-exceeded' });
    }
  });

  it('end no process where a file keeps them', { timeout: 600_000 }, async () => {
    const plans = NAMED_PLANS.filter((_, index) => index % EVERY === 0);
    const ended = await runAll(plans, 'in-a-file', [join(folder, 'values.db')]);
    for (const { name } of plans)
      expect(ended.get(name), name).toMatchObject({ status: expect.stringMatching(/^(?:done|failed)$/) });
  });

  it(`end no process in ${GENERATED} generated plans`, { timeout: 3_600_000 }, async () => {
    const seed = Number(process.env.POLYPHONY_GROWING_SEED ?? 7);
    const plans = fc
      .sample(growingPlans, { seed, numRuns: GENERATED })
      .map((plan, index) => ({ name: `plan ${index} of seed ${seed}`, plan }));
    const ended = await runAll(plans, 'generated');
    for (const { name } of plans) {
      expect(ended.get(name), name).toMatchObject({ status: expect.stringMatching(/^(?:done|failed)$/) });
      expect([undefined, 'limit-exceeded', 'no-route', 'invalid-plan', 'invalid-request']).toContain(
        ended.get(name)?.code,
      );
    }
    expect([...ended.values()].filter(({ code }) => code === 'limit-exceeded').length).toBeGreaterThan(0);
  });
});
