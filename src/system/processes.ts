/**
 * The processes of this machine. A process is named by its host, its id and the time of its start, because ids are used again.
 *
 * 1. Where there is /proc, the host is one boot of the system and one namespace of process ids: containers have one of their
 *    own, so an id in another container is never taken for one in this.
 * 2. On macOS and Windows the host is its name, and there is no time of start: an id that is not in use is dead, and of one that
 *    is in use nothing is known.
 * 3. Elsewhere nothing is known of other processes.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, platform } from 'node:os';
import type { Processes } from '../core/processes.ts';

interface Host {
  readonly name: string;
  /** When this process started, in the system's own unit; empty when unknown. */
  readonly started: string;
  isAlive(id: number, started: string): boolean | undefined;
}

const NAME = /^process:([^:#]+):(\d{1,15}):(\d*)(?:#|$)/;
const BY_NAME: readonly NodeJS.Platform[] = ['darwin', 'win32'];

/** How the system answers: another one in tests. */
export interface SystemQuestions {
  readonly platform: NodeJS.Platform;
  readonly pid: number;
  /** Undefined when the file cannot be read. */
  read(path: string): string | undefined;
  /** Undefined when it is no link. */
  link(path: string): string | undefined;
  hostname(): string;
  /** False when no process has the id, whoever it belongs to. */
  exists(id: number): boolean;
}

export function processesOf(system: SystemQuestions): Processes {
  let host: Host | undefined;
  const here = (): Host => {
    host ??= linuxHost(system) ?? namedHost(system);
    return host;
  };
  return {
    self() {
      const { name, started } = here();
      return `process:${name}:${system.pid}:${started}`;
    },
    isAlive(name) {
      const [, where, id, started = ''] = NAME.exec(name) ?? [];
      const { name: ours, isAlive } = here();
      return where === ours ? isAlive(Number(id), started) : undefined;
    },
  };
}

/** Undefined without /proc, or when /proc shows the processes of another namespace. */
function linuxHost(system: SystemQuestions): Host | undefined {
  const boot = system.read('/proc/sys/kernel/random/boot_id')?.trim();
  const namespace = system.link('/proc/self/ns/pid')?.replace(/\D/g, '');
  const own = statOf(system.read('/proc/self/stat'));
  if (!boot || !namespace || own?.id !== system.pid) return undefined;
  return {
    name: `${boot}.${namespace}`,
    started: own.started,
    isAlive(id, started) {
      if (id === own.id) return started === own.started;
      if (!system.exists(id)) return false;
      const found = statOf(system.read(`/proc/${id}/stat`));
      // The system may hide the processes of other users.
      if (found === undefined) return undefined;
      return !found.ended && found.started === started;
    },
  };
}

/** The fields after the name of the program, which stands in brackets and may itself contain any sign. */
function statOf(text: string | undefined): { id: number; started: string; ended: boolean } | undefined {
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', started = ''] = [fields[0], fields[19]];
  // A zombie has ended: only its entry is left until its parent asks for it.
  return { id: Number.parseInt(text, 10), started, ended: state === 'Z' || state === 'X' };
}

function namedHost(system: SystemQuestions): Host {
  if (!BY_NAME.includes(system.platform)) return { name: 'unknown', started: '', isAlive: () => undefined };
  return {
    name: encodeURIComponent(`${system.platform}.${system.hostname()}`),
    started: '',
    isAlive: (id) => (system.exists(id) ? undefined : false),
  };
}

const quietly = (read: () => string): string | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

const questions: SystemQuestions = {
  platform: platform(),
  pid: process.pid,
  read: (path) => quietly(() => readFileSync(path, 'utf8')),
  link: (path) => quietly(() => readlinkSync(path)),
  hostname,
  exists(id) {
    try {
      process.kill(id, 0);
      return true;
    } catch (error) {
      return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
    }
  },
};

export const systemProcesses: Processes = processesOf(questions);

let boot: string | undefined;

/** One boot of this machine, from which its monotonic clock counts for every process alike. */
export function bootName(): string {
  boot ??= questions.read('/proc/sys/kernel/random/boot_id')?.trim() ?? `${questions.platform}.${hostname()}`;
  return boot;
}
