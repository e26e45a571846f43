/** Ends a process that has used up its processor time, from a thread of its own: the one that works may never give a turn. */
import { Worker } from 'node:worker_threads';

/** The last thing that such a process says, on its standard error. */
export const USED_UP = 'the processor time is used up';

const EVERY_MS = 50;

/** Runs in the thread, as text because it needs no module of ours. */
const WATCH = `
const { writeSync } = require('node:fs');
const { workerData: { mostMs, everyMs, said } } = require('node:worker_threads');
setInterval(() => {
  const { user, system } = process.cpuUsage();
  if ((user + system) / 1000 <= mostMs) return;
  writeSync(2, said);
  process.kill(process.pid, 'SIGKILL');
}, everyMs);
`;

/** Keeps no process alive. */
export function boundProcessorTime(seconds: number): void {
  const workerData = { mostMs: seconds * 1000, everyMs: EVERY_MS, said: USED_UP };
  const worker = new Worker(WATCH, { eval: true, workerData });
  worker.unref();
}

/** What this process has used, in milliseconds. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
