/** The options that every command takes. */
import type { LogLevel } from '../../system/logger.ts';

export interface SharedOptions {
  readonly config?: string;
  readonly store: string;
  readonly log: LogLevel;
  readonly json?: boolean;
}
