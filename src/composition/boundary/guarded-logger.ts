/** The logger of the caller: a destination that fails must not fail what it was told of. */

import type { Logger } from '../../core/plugin.ts';
import { guardedListener } from '../../core/user-code/guarded-listener.ts';
import { silentLogger } from '../../system/logger.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** A line that it throws at, or rejects, is lost. @default silent */
export function guardedLogger(logger: Logger | undefined): Logger {
  if (logger === undefined || logger === silentLogger) return silentLogger;
  return {
    debug: guardedListener((fields: object, message: string) => logger.debug(fields, message)),
    info: guardedListener((fields: object, message: string) => logger.info(fields, message)),
    warn: guardedListener((fields: object, message: string) => logger.warn(fields, message)),
    error: guardedListener((fields: object, message: string) => logger.error(fields, message)),
    ...(logger.isLevelEnabled === undefined ? {} : { isLevelEnabled: (level) => keeps(logger, level) }),
  };
}

/** Nothing is made for a logger that cannot say what it keeps. */
function keeps(logger: Logger, level: Level): boolean {
  try {
    return logger.isLevelEnabled?.(level) === true;
  } catch {
    return false;
  }
}
