/** Who lives, by what a system answers: one with /proc, one without, and one where /proc belongs to somebody else. */
import { describe, expect, it } from 'vitest';
import { processesOf, type SystemQuestions, systemProcesses } from '../../src/system/processes.ts';

const stat = (id: number, started: number, state = 'S'): string =>
  `${id} (a) name (b)) ${[state, ...Array.from({ length: 18 }, () => 0), started, 0].join(' ')}\n`;

interface Seen {
  readonly started: number;
  readonly state?: string;
  /** The system hides it: it exists and has no entry. */
  readonly hidden?: true;
}

function linux(pid: number, running: Readonly<Record<number, Seen>>, place = {}): SystemQuestions {
  const { boot = 'b00t', namespace = '4026' } = place as { boot?: string; namespace?: string };
  const files = new Map([['/proc/sys/kernel/random/boot_id', `${boot}\n`]]);
  for (const [id, { started, state, hidden }] of Object.entries(running)) {
    if (hidden === undefined) files.set(`/proc/${id}/stat`, stat(Number(id), started, state));
    if (Number(id) === pid) files.set('/proc/self/stat', stat(pid, started));
  }
  return {
    platform: 'linux',
    pid,
    read: (path) => files.get(path),
    link: () => `pid:[${namespace}]`,
    hostname: () => 'here',
    exists: (id) => id in running,
  };
}

const without: Omit<SystemQuestions, 'platform'> = {
  pid: 7,
  read: () => undefined,
  link: () => undefined,
  hostname: () => 'desk: one#',
  exists: (id) => id < 10,
};

describe('processes', () => {
  it('lives while its id and its start are those of a process', () => {
    const one = processesOf(linux(5, { 5: { started: 100 } }));
    const name = one.self();
    const isAlive = (running: Readonly<Record<number, Seen>>, place?: object): boolean | undefined =>
      processesOf(linux(9, { 9: { started: 900 }, ...running }, place)).isAlive(name);
    expect(one.isAlive(name)).toBe(true);
    expect(isAlive({ 5: { started: 100 } })).toBe(true);
    expect(isAlive({})).toBe(false);
    // The id belongs to a later process.
    expect(isAlive({ 5: { started: 200 } })).toBe(false);
    expect(isAlive({ 5: { started: 100, state: 'Z' } })).toBe(false);
    expect(isAlive({ 5: { started: 100, hidden: true } })).toBeUndefined();
  });

  it('says nothing of another boot, or of another container', () => {
    const name = processesOf(linux(5, { 5: { started: 100 } })).self();
    for (const place of [{ boot: 'later' }, { namespace: '4027' }]) {
      expect(processesOf(linux(9, { 9: { started: 900 } }, place)).isAlive(name)).toBeUndefined();
    }
  });

  it('reads a name that goes on after its end, and no other form', () => {
    const processes = processesOf(linux(5, { 5: { started: 100 } }));
    expect(processes.isAlive(`${processes.self()}#engine_1/3`)).toBe(true);
    for (const name of ['', 'engine_1/1', `${processes.self()}0`, 'process:', 'process:b00t.4026:x:100']) {
      expect(processes.isAlive(name)).not.toBe(true);
    }
  });

  it('knows only the dead where there is no time of start', () => {
    for (const platform of ['darwin', 'win32'] as const) {
      const processes = processesOf({ ...without, platform });
      expect(processes.self()).toMatch(/^process:[^:#]+:7:$/);
      expect(processes.isAlive(processes.self())).toBeUndefined();
      expect(processes.isAlive(processes.self().replace(':7:', ':12:'))).toBe(false);
    }
  });

  it('knows nothing elsewhere, and where /proc is that of another namespace', () => {
    const foreign = { ...linux(5, { 5: { started: 100 } }), pid: 6 };
    for (const system of [{ ...without, platform: 'freebsd' as const }, foreign]) {
      const processes = processesOf(system);
      expect(processes.isAlive(processes.self())).toBeUndefined();
      expect(processes.isAlive(processes.self().replace(/:\d+:/, ':12:'))).toBeUndefined();
    }
  });

  it('finds this process alive, where the system can tell', () => {
    const alive = systemProcesses.isAlive(systemProcesses.self());
    expect(process.platform === 'linux' ? alive : (alive ?? true)).toBe(true);
  });
});
