/** The options of every command that follows a run to its end. */
import type { Command } from 'commander';
import { UsageError } from './exit-code.ts';

export interface FollowOptions {
  readonly json?: boolean;
  readonly events?: boolean;
  readonly quiet?: boolean;
}

export const withFollowOptions = (command: Command): Command =>
  command.option('--events', 'print every event as a JSON line').option('-q, --quiet', 'print only the answer');

/** Both write to standard output, so only one of them is allowed. @throws UsageError */
export function assertOneFormat(options: FollowOptions): void {
  if (options.json && options.events) {
    throw new UsageError('--json prints one document and --events prints one line per event: use only one of them');
  }
}
