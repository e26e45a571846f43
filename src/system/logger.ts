/** The logger over pino: one scrubbed JSON line per record. At the level `silent`, pino is not loaded. */
import type { Logger } from '../core/plugin.ts';
import { scrub, scrubText } from '../core/scrub.ts';

const nothing = (): void => undefined;
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  isLevelEnabled: () => false,
};

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** @param write takes each line; @default standard error */
export async function createLogger(level: LogLevel, write?: (line: string) => void): Promise<Logger> {
  if (level === 'silent') return silentLogger;
  const { default: pino } = await import('pino');
  const destination = { write: write ?? ((line: string) => void process.stderr.write(line)) };
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  const log =
    (at: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void => {
      // Scrubbing costs time, so a disabled level skips it.
      if (logger.isLevelEnabled(at)) logger[at](scrub(fields) as object, scrubText(message));
    };
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    isLevelEnabled: (at) => logger.isLevelEnabled(at),
  };
}
