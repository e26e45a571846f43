/** Commands of a release, as a shell of a user would start them. */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';

export interface Place {
  readonly cwd: string;
  /** The Node that the command finds first. @default the one that runs this */
  readonly node?: string;
}

/** Without keys, and without what npm tells the scripts that it starts. @throws with everything that the command printed */
export function runCommand(command: readonly string[], { cwd, node = process.execPath }: Place): string {
  const [file = '', ...given] = command;
  const keyless = Object.entries(process.env).filter(([name]) => !/_(?:API_KEY|TOKEN|SECRET)$|^npm_/.test(name));
  const PATH = [dirname(node), process.env.PATH].join(delimiter);
  const child = spawnSync(file, given, {
    cwd,
    env: { ...Object.fromEntries(keyless), PATH },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (child.status === 0) return child.stdout;
  const printed = `${child.stdout ?? ''}${child.stderr ?? ''}${child.error?.message ?? ''}`;
  throw new Error(`${command.join(' ')} ended with ${child.status ?? child.signal}\n${printed}`);
}
