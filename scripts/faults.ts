/**
 * `npm run faults [-- <folder> <number> …]`: programs that show what was once wrong, against a fresh build. They lie outside of
 * the repository: POLYPHONY_SHARED names the folder that holds `faults/run.mjs`. Where it is absent nothing is run.
 * Exit codes: 0 all pass or there are none, 1 one does not.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const runner = join(resolve(root, process.env.POLYPHONY_SHARED ?? '../shared'), 'faults', 'run.mjs');

function run(command: string, given: readonly string[]): number {
  const env = { ...process.env, POLYPHONY: root };
  return spawnSync(command, given, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
}

if (!existsSync(runner)) {
  console.log(
    `There are no faults at ${runner}, so nothing was run: set POLYPHONY_SHARED to the folder that holds them.`,
  );
} else {
  const built = run('npm', ['run', '--silent', 'build']);
  process.exitCode = built === 0 ? run(process.execPath, [runner, ...process.argv.slice(2)]) : built;
}
