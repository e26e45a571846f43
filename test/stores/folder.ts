/** A temporary folder for the files of one test file, removed in the end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-stores-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The error of ours that `work` rejects with. */
export async function failure(work: Promise<unknown> | undefined): Promise<PolyphonyError> {
  const outcome = await Promise.resolve(work).then(
    () => 'no error',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(PolyphonyError);
  return outcome as PolyphonyError;
}

export const resumed = (runId: string, seq = 0): RunEvent => ({ type: 'run-resumed', seq, at: 1, runId });
