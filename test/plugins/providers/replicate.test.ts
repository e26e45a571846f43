/** Replicate: predictions that are done at once, later, or never. */
import { type ModelRequest, PolyphonyError } from 'polyphony';
import { fakeCard, fakeClock } from 'polyphony/testing';
import { describe, expect, test } from 'vitest';
import { replicate } from '../../../plugins/providers/replicate.ts';
import { createGateway } from '../../../src/gateway/create-gateway.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { systemRuntime } from '../../../src/system/clock.ts';
import { type Loopback, loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { codes, failure, transport } from './exchange.ts';
import type { Answer, Json } from './native-exchange.ts';

const prediction = (status: string, rest: Json = {}): Answer => ({
  text: JSON.stringify({ id: 'p1', status, ...rest }),
  status: 200,
});
const DONE = prediction('succeeded', { output: ['https://a.example/1.png'] });
const prompt: ModelRequest = { operation: 'image', prompt: 'A cat' };
const SCHNELL = 'black-forest-labs/flux-schnell';

interface Scene {
  readonly server: Loopback;
  readonly clock: ReturnType<typeof fakeClock>;
  readonly run: (request?: ModelRequest, model?: string, signal?: AbortSignal) => ReturnType<typeof ask>;
}

/** A server that gives these answers one after another, the last one for ever. */
async function scene(...answers: readonly Answer[]): Promise<Scene> {
  let turn = 0;
  const server = await loopback((_, response) => {
    const { text, status = 200 } = answers[Math.min(turn, answers.length - 1)] ?? { text: '' };
    turn += 1;
    response.writeHead(status);
    response.end(text);
  });
  const clock = fakeClock();
  const provider = replicate({ baseURL: server.url, apiKey: 'test-key' });
  const run: Scene['run'] = (request = prompt, model = SCHNELL, signal = new AbortController().signal) =>
    ask(provider, transport, request, { target: { model }, signal, clock });
  return { server, clock, run };
}

/** Lets the requests that are under way arrive, then fires the timers that wait. */
async function until(clock: Scene['clock'], arrived: () => boolean): Promise<void> {
  for (let round = 0; round < 2000 && !arrived(); round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.runAll(1);
  }
}

const settled = (work: Promise<unknown>): (() => boolean) => {
  let done = false;
  void work.then(
    () => (done = true),
    () => (done = true),
  );
  return () => done;
};

describe('predictions', () => {
  test('that are done within the minute are the answer', async () => {
    const { server, run } = await scene(DONE);
    const response = await run();
    expect(server.received).toHaveLength(1);
    expect(server.received[0]).toMatchObject({
      path: '/models/black-forest-labs/flux-schnell/predictions',
      headers: { authorization: 'Bearer test-key', prefer: 'wait=60' },
    });
    expect(response).toMatchObject({
      output: { images: [{ type: 'url', url: 'https://a.example/1.png' }] },
      usage: { images: 1 },
      id: 'p1',
    });
  });

  test('that are not are asked for at the base URL until they are', async () => {
    const elsewhere = { urls: { get: 'https://evil.example/steal' } };
    const { server, clock, run } = await scene(
      prediction('starting', elsewhere),
      prediction('processing', elsewhere),
      DONE,
    );
    const answer = run();
    await until(clock, settled(answer));
    expect((await answer).output).toMatchObject({ images: [{ url: 'https://a.example/1.png' }] });
    expect(server.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /models/black-forest-labs/flux-schnell/predictions',
      'GET /predictions/p1',
      'GET /predictions/p1',
    ]);
    expect(server.received[2]?.headers).toMatchObject({ authorization: 'Bearer test-key' });
    expect(clock.pending()).toBe(0);
  });

  test('survive bad answers to the question how they stand, but not for ever', async () => {
    const busy = { text: '{}', status: 503 };
    const some = await scene(prediction('starting'), busy, busy, busy, DONE);
    const answer = some.run();
    await until(some.clock, settled(answer));
    expect((await answer).output).toBeDefined();
    const many = await scene(prediction('starting'), busy);
    const lost = failure(many.run());
    await until(many.clock, settled(lost));
    expect(await lost).toMatchObject({ code: 'truncated', unsent: false });
    expect((await lost).message).toContain('HTTP 503');
    expect(many.server.received).toHaveLength(5);
  });

  test.each<[string, Answer | undefined]>([
    ['refuses to say', { text: '{}', status: 401 }],
    ['does not know', { text: '{}', status: 404 }],
    ['is too busy to say', { text: '{}', status: 429 }],
    ['is not there any more to say', undefined],
  ])('are paid for where the server %s how they stand', async (_, answer) => {
    const { server, clock } = await scene(prediction('starting'), answer ?? DONE);
    const gone = new PolyphonyError('network', 'No connection could be opened.', { unsent: true });
    const price = { input: 0, output: 0, image: 0.01 };
    const models = [fakeCard({ id: 'm', operations: ['image'], capabilities: ['image-out'], price })];
    const stores = memoryStores();
    const gateway = createGateway({
      providers: [replicate({ baseURL: server.url, apiKey: 'test-key', models })],
      config: { retry: { retries: 0 } },
      runtime: { ...systemRuntime, clock },
      keyValue: stores.keyValue,
      ledger: stores.ledger,
      transport: {
        request: (request) =>
          answer === undefined && request.method === 'GET' ? Promise.reject(gone) : transport.request(request),
        close: () => Promise.resolve(),
      },
    });
    const made = failure(gateway.image({ prompt: 'A cat' }));
    await until(clock, settled(made));
    expect(await made).toMatchObject({ code: 'truncated', unsent: false });
    expect(await stores.ledger.totals('provider')).toMatchObject([{ costNanoUsd: 10_000_000 }]);
    await gateway.close();
  });

  test('that nobody waits for any more are cancelled there', async () => {
    const { server, clock, run } = await scene(prediction('processing'));
    const controller = new AbortController();
    const answer = failure(run(prompt, SCHNELL, controller.signal));
    await until(clock, () => server.received.length >= 2);
    controller.abort();
    expect(await answer).toMatchObject({ code: 'cancelled' });
    const cancelled = () =>
      server.received.some(({ path, method }) => method === 'POST' && path === '/predictions/p1/cancel');
    await until(clock, cancelled);
    expect(cancelled()).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  test.each([
    ['NSFW content detected. Try running it again.', 'content-policy'],
    ['CUDA out of memory', 'overloaded'],
  ])('that fail with "%s" are %s', async (error, code) => {
    const { run } = await scene(prediction('failed', { error }));
    expect(await failure(run())).toMatchObject({ code });
  });

  test('that make one image, several, inline ones or none', async () => {
    const output = async (told: unknown) =>
      (await (await scene(prediction('succeeded', { output: told }))).run()).output;
    expect(await output('https://a.example/1.png')).toMatchObject({ images: [{ url: 'https://a.example/1.png' }] });
    expect(await output(['https://a.example/1.png', 'https://a.example/2.png'])).toMatchObject({ images: [{}, {}] });
    expect(await output('data:image/webp;base64,AAAA')).toMatchObject({
      images: [{ type: 'base64', data: 'AAAA', mediaType: 'image/webp' }],
    });
    expect(await failure(output(null))).toMatchObject({ code: 'invalid-output' });
  });
});

describe('inputs', () => {
  const sent = async (request: ModelRequest, model?: string) => {
    const { server, run } = await scene(DONE);
    const response = await run(request, model);
    return { response, path: server.received[0]?.path, body: JSON.parse(server.received[0]?.body ?? '{}') as Json };
  };

  test('are called what the model calls them', async () => {
    const { body, response } = await sent({ ...prompt, size: '1024x768', count: 2, seed: 1, negativePrompt: 'x' });
    expect(body).toEqual({ input: { prompt: 'A cat', seed: 1, aspect_ratio: '4:3', num_outputs: 2 } });
    expect(codes(response)).toEqual(['parameter-dropped']);
  });

  test('a version is named in the body, and takes pixels where the model does', async () => {
    const sdxl = replicate().models.find(({ id }) => id.includes('sdxl'))?.id ?? '';
    const { body, path } = await sent({ ...prompt, size: '1024x768', negativePrompt: 'x' }, sdxl);
    expect(path).toBe('/predictions');
    expect(body).toEqual({
      version: sdxl.split(':')[1],
      input: { prompt: 'A cat', negative_prompt: 'x', width: 1024, height: 768 },
    });
  });

  test('providerOptions are inputs', async () => {
    const { body } = await sent({ ...prompt, providerOptions: { replicate: { go_fast: true } } });
    expect(body.input).toEqual({ prompt: 'A cat', go_fast: true });
  });

  test('chat is refused', async () => {
    const { run } = await scene(DONE);
    expect(await failure(run(chat('Hi')))).toMatchObject({ code: 'unsupported' });
  });
});
