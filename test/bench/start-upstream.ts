/** Starts the server of benchmarks in a process of its own. */
import { fork } from 'node:child_process';
import { dirname, extname, join } from 'node:path';

export async function startUpstream(): Promise<{ readonly url: string; stop(): void }> {
  // The build moves this file; what was started stays beside the server.
  const started = process.argv[1] ?? '';
  const child = fork(join(dirname(started), `upstream${extname(started)}`));
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (address: { readonly port: number }) => resolve(address.port));
    child.once('exit', () => reject(new Error('the upstream of the benchmark did not start')));
  });
  return { url: `http://127.0.0.1:${port}/v1`, stop: () => child.kill() };
}
