/** The requests to a server: no redirect, so that its headers go nowhere else, and no more bytes than the bounds. */

const MOST_DOCUMENT = 16_777_216;
/** A stream of events may stand for hours. */
const MOST_STREAM = 67_108_864;

export async function boundedFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'error' });
  if (response.body === null) return response;
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const body = response.body.pipeThrough(bounded(isStream ? MOST_STREAM : MOST_DOCUMENT));
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}

function bounded(most: number): TransformStream<Uint8Array, Uint8Array> {
  let left = most;
  return new TransformStream({
    transform(chunk, controller) {
      left -= chunk.byteLength;
      if (left < 0) controller.error(new Error(`the answer has more than ${most} bytes`));
      else controller.enqueue(chunk);
    },
  });
}
