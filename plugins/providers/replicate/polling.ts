/**
 * A prediction that is not done when its request is answered is polled until it is. The transport does that, so that the
 * wire format only sees the final state.
 */
import {
  abortError,
  asPolyphonyError,
  asRecord,
  asText,
  type Clock,
  type JsonRecord,
  PolyphonyError,
  sleep,
  type Transport,
  type TransportRequest,
  type TransportResponse,
  tryParseJson,
} from 'polyphony/kit';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;
/** Failed polls that are tolerated: a running prediction is paid for, so a single bad answer does not end it. */
const BAD_ANSWERS = 4;
const DONE = new Set(['succeeded', 'successful', 'failed', 'canceled', 'aborted']);

export function pollingTransport(transport: Transport, baseURL: string, clock: Clock): Transport {
  return {
    async request(request) {
      const response = await transport.request(request);
      if (response.status >= 300 || request.method !== 'POST') return response;
      return whenDone({ transport, clock, request, baseURL }, response);
    },
    close: () => transport.close(),
  };
}

interface Poll {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly request: TransportRequest;
  readonly baseURL: string;
}

async function whenDone(poll: Poll, first: TransportResponse): Promise<TransportResponse> {
  const { clock, request } = poll;
  let answer = await held(first);
  let prediction = predictionOf(answer);
  const id = asText(prediction?.id);
  if (id === undefined) return answer;
  let waitMs = FIRST_WAIT_MS;
  let bad = 0;
  try {
    while (prediction === undefined || !DONE.has(asText(prediction.status) ?? '')) {
      await sleep(clock, waitMs, request.signal);
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 1.5);
      const asked = await stateOf(poll, id);
      prediction = asked.prediction;
      if (asked.answer !== undefined) answer = asked.answer;
      bad = prediction === undefined ? bad + 1 : 0;
      if (bad >= BAD_ANSWERS) throw lost(asked.problem);
    }
    return answer;
  } catch (error) {
    if (!request.signal.aborted) throw error;
    // No caller waits for it any more, and without a cancel it would be paid for to its end.
    void cancel(poll, id);
    throw abortError(request.signal);
  }
}

type Held = TransportResponse & { readonly text: string };

interface Asked {
  readonly answer?: Held;
  /** Undefined: the answer says nothing of it, or there is none. */
  readonly prediction?: JsonRecord | undefined;
  readonly problem: string;
}

async function stateOf(poll: Poll, id: string): Promise<Asked> {
  const { signal } = poll.request;
  try {
    const answer = await held(await ask(poll, 'GET', `/predictions/${encodeURIComponent(id)}`, signal));
    const prediction = answer.status < 300 ? predictionOf(answer) : undefined;
    return { answer, prediction, problem: answer.status < 300 ? 'no JSON object' : `HTTP ${answer.status}` };
  } catch (error) {
    if (signal.aborted) throw error;
    return { problem: asPolyphonyError(error).message };
  }
}

/** It was accepted and is paid for, so the error of the last question, which may be free or may never have been sent, is not its own. */
const lost = (problem: string): PolyphonyError =>
  new PolyphonyError(
    'truncated',
    `The status of the prediction could not be read ${BAD_ANSWERS} times, at last because of: ${problem}. Try again.`,
  );

async function cancel(poll: Poll, id: string): Promise<void> {
  try {
    const path = `/predictions/${encodeURIComponent(id)}/cancel`;
    await held(await ask(poll, 'POST', path, new AbortController().signal));
  } catch {
    // If the cancel fails, the prediction ends at its own deadline.
  }
}

/** Polls at the base URL, whatever URL the answer names, so that the key is sent nowhere else. */
function ask(
  { transport, request, baseURL }: Poll,
  method: 'GET' | 'POST',
  path: string,
  signal: AbortSignal,
): Promise<TransportResponse> {
  const { prefer: _, 'cancel-after': __, ...headers } = request.headers;
  return transport.request({ method, url: baseURL + path, headers, signal });
}

/** The answer with its body buffered, so that it can be inspected and read again. */
async function held(response: TransportResponse): Promise<Held> {
  const bytes = await response.bytes();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return {
    status: response.status,
    headers: response.headers,
    body: body(),
    bytes: () => Promise.resolve(bytes),
    text: Buffer.from(bytes).toString('utf8'),
  };
}

const predictionOf = ({ text }: { readonly text: string }): JsonRecord | undefined => asRecord(tryParseJson(text));
