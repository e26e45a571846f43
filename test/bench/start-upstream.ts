/** Starts the server of benchmarks in a process of its own. */
import { fork } from 'node:child_process';

export async function startUpstream(): Promise<{ readonly url: string; stop(): void }> {
  const file = import.meta.url.endsWith('.ts') ? './upstream.ts' : './upstream.js';
  const child = fork(new URL(file, import.meta.url));
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (address: { readonly port: number }) => resolve(address.port));
    child.once('exit', () => reject(new Error('the upstream of the benchmark did not start')));
  });
  return { url: `http://127.0.0.1:${port}/v1`, stop: () => child.kill() };
}
