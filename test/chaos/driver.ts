/**
 * Time that is moved by hand over real sockets: it stands still while anything is on its way between the two ends of a
 * connection, and goes on to the next timer once nothing is. So what takes a minute is played at once, and comes out alike on a
 * machine that is busy.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { FakeClock } from '../../src/testing/fakes.ts';

/** Turns of the event loop in which nothing is on its way: what was read is digested by then. */
const QUIET_TURNS = 12;
/** A reader that has stopped reading leaves bytes on their way: after so many milliseconds of real time they do not count. */
const MOST_WAITS = 3000;
/** Times that no timer was left while a call had not ended, before it counts as stuck. */
const STUCK_AFTER = 50;

export interface Driver {
  /** The end of a connection that the server has. */
  readonly accepted: (socket: Socket) => void;
  /** Resolves once nothing happens any more without time moving on. */
  readonly quiet: () => Promise<void>;
  /** Moves time on until the work has settled. Throws if it never will, or not within `mostMs` of the clock. */
  readonly until: <T>(work: Promise<T>, mostMs: number) => Promise<T>;
  readonly close: () => void;
}

interface Pair {
  client?: Socket;
  server?: Socket;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** What other threads do for this one: files and modules that are being loaded, bodies that are being unpacked. */
const workCount = (): number =>
  process.getActiveResourcesInfo().filter((name) => name.startsWith('FS') || /zlib|GetAddrInfo|MessagePort/i.test(name))
    .length;

/** Some versions and loaders keep a port open for good: the fewest that are seen are there without any work. */
async function workAtRest(): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY;
  for (let looks = 0; looks < 5; looks += 1) {
    await pause();
    fewest = Math.min(fewest, workCount());
  }
  return fewest;
}

/** Both ends of every connection, by the ports of client and server: one port of a client may serve several servers. */
function watchConnections() {
  const pairs = new Map<string, Pair>();
  let connecting = 0;
  const pairOf = (ports: string): Pair => {
    const pair = pairs.get(ports) ?? {};
    pairs.set(ports, pair);
    return pair;
  };
  const gone = (ports: string): void => {
    const pair = pairs.get(ports);
    if (pair?.client?.destroyed !== false && pair?.server?.destroyed !== false) pairs.delete(ports);
  };
  const begun = (): void => {
    connecting += 1;
  };
  const failed = (): void => {
    connecting -= 1;
  };
  const connected = (message: unknown): void => {
    connecting -= 1;
    const { socket } = message as { readonly socket: Socket };
    const ports = `${socket.localPort}-${socket.remotePort}`;
    pairOf(ports).client = socket;
    socket.once('close', () => gone(ports));
  };
  subscribe('undici:client:beforeConnect', begun);
  subscribe('undici:client:connectError', failed);
  subscribe('undici:client:connected', connected);
  return {
    accepted(socket: Socket): void {
      const ports = `${socket.remotePort}-${socket.localPort}`;
      pairOf(ports).server = socket;
      socket.once('close', () => gone(ports));
    },
    isMoving: (): boolean => connecting > 0 || [...pairs.values()].some(isOnItsWay),
    close(): void {
      unsubscribe('undici:client:beforeConnect', begun);
      unsubscribe('undici:client:connectError', failed);
      unsubscribe('undici:client:connected', connected);
    },
  };
}

/** One end is closed and the other is not yet, or bytes were written that were not read. */
function isOnItsWay({ client, server }: Pair): boolean {
  if (client === undefined || server === undefined) return true;
  if (client.destroyed || server.destroyed) return client.destroyed !== server.destroyed;
  return client.bytesWritten !== server.bytesRead || server.bytesWritten !== client.bytesRead;
}

/** `patienceMs`: real time before each step of the clock, for work on other threads that nothing shows. */
export async function createDriver(clock: FakeClock, patienceMs = 0): Promise<Driver> {
  const atRest = await workAtRest();
  const connections = watchConnections();
  const quiet = async (): Promise<void> => {
    let waits = 0;
    for (let turns = 0; turns < QUIET_TURNS; turns += 1) {
      await turn();
      if (waits > MOST_WAITS || !(connections.isMoving() || workCount() > atRest)) continue;
      turns = -1;
      waits += 1;
      await pause();
    }
  };
  return {
    accepted: connections.accepted,
    close: connections.close,
    quiet,
    async until(work, mostMs) {
      let settled = false;
      const settle = (): void => {
        settled = true;
      };
      work.then(settle, settle);
      const latest = clock.monotonic() + mostMs;
      let idle = 0;
      for (;;) {
        await quiet();
        if (settled) return work;
        if (patienceMs > 0) await new Promise((resolve) => setTimeout(resolve, patienceMs));
        if (settled) return work;
        idle = clock.pending() === 0 ? idle + 1 : 0;
        if (idle > STUCK_AFTER) throw new Error('it never ends: no timer is left, and nothing is on its way');
        if (clock.monotonic() > latest) throw new Error(`it has not ended after ${mostMs} ms`);
        await clock.runAll(1);
      }
    },
  };
}

export interface CountedClock {
  readonly clock: FakeClock;
  /** Timers that somebody waits for. */
  readonly awaited: () => number;
}

/** Tells timers that somebody waits for from those that run in the background. */
export function countedClock(clock: FakeClock): CountedClock {
  const awaited = new Set<object>();
  return {
    awaited: () => awaited.size,
    clock: {
      ...clock,
      schedule(delayMs, callback, options) {
        if (options?.background === true) return clock.schedule(delayMs, callback, options);
        const timer = {};
        awaited.add(timer);
        const cancel = clock.schedule(delayMs, () => {
          awaited.delete(timer);
          callback();
        });
        return () => {
          awaited.delete(timer);
          cancel();
        };
      },
    },
  };
}
