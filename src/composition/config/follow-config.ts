/** Follows a config and the files that it names: when one changes, calls, plans and runs that begin afterwards use what it says. */
import { realpathSync, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { ConfigInput } from '../../core/config/config-input.ts';
import type { Config } from '../../core/config.ts';
import { systemClock } from '../../system/clock.ts';
import { filesOf, isModule, loadConfigFile } from './config-file.ts';

/** Editors write a file in several steps. */
const SETTLE_MS = 200;

export interface FollowOptions {
  /** The file of the config. A module of JavaScript or TypeScript is not followed. */
  readonly path: string;
  /** As it was read last, by `loadConfig`. */
  readonly config: Config;
  readonly polyphony: { reconfigure(config: ConfigInput): Promise<void> };
  /** Told why a changed file, or a folder that cannot be watched, is not used; what was read before stays in force. */
  readonly refused: (error: unknown) => void;
  /** Told each time that a changed file is in force. @default nobody */
  readonly used?: (config: Config) => void;
  /** @default the system's */
  readonly clock?: Pick<Clock, 'schedule'>;
}

/**
 * The config in a file: YAML, JSON, or a module whose default export it is. Files of prices and models that it names are read too.
 *
 * @throws invalid-config naming the file, the line, the field, the rule and the value
 */
export const loadConfig = (path: string): Promise<Config> => loadConfigFile(path);

/** Stops following when the returned function is called. It keeps no process alive. */
export function followConfig(options: FollowOptions): () => void {
  const { path, refused, clock = systemClock } = options;
  if (isModule(path)) return () => undefined;
  const watching = new Map<string, () => void>();
  let { config } = options;
  let stamps = stampsOf(filesOf(path, config));
  let cancel: () => void = () => undefined;
  let reading: Promise<void> = Promise.resolve();
  let stopped = false;
  const read = async (): Promise<void> => {
    try {
      stamps = stampsOf(filesOf(path, config));
      const next = await loadConfigFile(path);
      if (stopped || JSON.stringify(next) === JSON.stringify(config)) return;
      await options.polyphony.reconfigure(next);
      config = next;
      stamps = stampsOf(filesOf(path, config));
      options.used?.(next);
    } catch (error) {
      if (!stopped) refused(error);
    } finally {
      if (!stopped) watchAll();
    }
  };
  const changed = (folder: string, name: string | null): void => {
    if (stopped) return;
    const files = filesOf(path, config);
    const isOurs = files.some((file) => dirname(file) === folder && basename(file) === name);
    // A link that leads elsewhere now has another name than the file, as where a cluster mounts a config.
    if (!isOurs && stampsOf(files) === stamps) return;
    cancel();
    cancel = clock.schedule(SETTLE_MS, () => {
      reading = reading.then(read);
    });
  };
  /** Folders, because an editor that replaces a file would end the watch of the file itself. */
  function watchAll(): void {
    const folders = foldersOf(filesOf(path, config));
    for (const [folder, close] of watching) {
      if (folders.has(folder)) continue;
      close();
      watching.delete(folder);
    }
    for (const folder of folders) {
      if (!watching.has(folder))
        watching.set(
          folder,
          watched(folder, (name) => changed(folder, name), refused),
        );
    }
  }
  watchAll();
  return () => {
    stopped = true;
    cancel();
    for (const close of watching.values()) close();
  };
}

/** Where the files are named, and where they are when links are followed. */
const foldersOf = (files: readonly string[]): ReadonlySet<string> =>
  new Set(files.flatMap((file) => [dirname(file), dirname(followed(file))]));

function followed(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** Another text when one of the files is another one, or was changed. */
const stampsOf = (files: readonly string[]): string => files.map(stampOf).join('\n');

function stampOf(file: string): string {
  try {
    const { dev, ino, size, mtimeMs } = statSync(file);
    return `${dev} ${ino} ${size} ${mtimeMs}`;
  } catch {
    return 'none';
  }
}

function watched(
  folder: string,
  changed: (name: string | null) => void,
  refused: (error: unknown) => void,
): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => changed(name));
    watcher.on('error', refused);
    return () => watcher.close();
  } catch (error) {
    refused(error);
    return () => undefined;
  }
}
