/** Follows the file of models that a config names: when it changes, calls that begin afterwards know what it says. */
import { watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import type { Polyphony } from '../../polyphony.ts';
import { systemClock } from '../../system/clock.ts';
import { type LoadedConfig, loadConfig } from '../input/config-file.ts';

/** Editors write a file in several steps. */
const SETTLE_MS = 200;

interface Following {
  readonly loaded: LoadedConfig;
  readonly polyphony: Pick<Polyphony, 'reconfigure'>;
  /** Told why a changed file is not used; what it said before stays in force. */
  readonly refused: (error: unknown) => void;
  /** @default the system's */
  readonly clock?: Pick<Clock, 'schedule'>;
}

/** Stops following when the returned function is called. A folder that cannot be watched is not followed, and said so. */
export function followModelsFile({ loaded, polyphony, refused, clock = systemClock }: Following): () => void {
  const { path, config } = loaded;
  if (path === undefined || config.modelsFile === undefined) return () => undefined;
  const file = resolve(path, '..', config.modelsFile);
  const { models: _before, ...others } = config;
  let cancel: () => void = () => undefined;
  let reading: Promise<void> = Promise.resolve();
  let stopped = false;
  const read = async (): Promise<void> => {
    try {
      const { config: next } = await loadConfig(dirname(path), path);
      if (!stopped) await polyphony.reconfigure({ ...others, ...defined({ models: next.models }) });
    } catch (error) {
      if (!stopped) refused(error);
    }
  };
  const changed = (_event: string, name: string | null): void => {
    if (name !== basename(file) || stopped) return;
    cancel();
    cancel = clock.schedule(SETTLE_MS, () => {
      reading = reading.then(read);
    });
  };
  const close = watched(dirname(file), changed, refused);
  return () => {
    stopped = true;
    cancel();
    close();
  };
}

/** The folder, because an editor that replaces the file would end the watch of the file itself. */
function watched(
  folder: string,
  changed: (event: string, name: string | null) => void,
  refused: (error: unknown) => void,
): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, changed);
    watcher.on('error', refused);
    return () => watcher.close();
  } catch (error) {
    refused(error);
    return () => undefined;
  }
}
