/** The kinds of faults, as data. */

/** Where in the body of an answer: after so many bytes, or after so many events (of a stream) or documents. 0: after the headers. */
export type FaultPlace = { readonly bytes: number } | { readonly events: number };

export type ChaosFault =
  /** The request is sent later. */
  | {
      readonly type: 'latency';
      /** Milliseconds. */
      readonly ms: number;
    }
  /** The request is not sent; it is refused. */
  | {
      readonly type: 'status';
      /** 400 to 599, such as 429, 500, 503 or 529. */
      readonly status: number;
      /** Stated as `retry-after` and `retry-after-ms`, in milliseconds. @default the headers are absent */
      readonly retryAfterMs?: number;
    }
  /** The connection is lost. */
  | {
      readonly type: 'reset';
      /** @default before anything is sent */
      readonly at?: FaultPlace;
    }
  /** Nothing more comes until the attempt is given up. */
  | {
      readonly type: 'stall';
      /** @default the request is never sent */
      readonly at?: FaultPlace;
    }
  /** The body ends early, as if it were complete. */
  | { readonly type: 'cut'; readonly at: FaultPlace }
  /** The JSON of one event is cut in the middle; the stream goes on. */
  | {
      readonly type: 'malformed';
      /** From 1. @default 1 */
      readonly event?: number;
    }
  /** In the JSON of one event texts become numbers, numbers texts, true and false null, and null a list. */
  | {
      readonly type: 'wrong-types';
      /** From 1. @default 1 */
      readonly event?: number;
      /** Names of the fields whose values change, at any depth. @default all of them */
      readonly fields?: readonly string[];
    }
  /** The body comes in small pieces. */
  | {
      readonly type: 'drip';
      /** Bytes of a piece. */
      readonly bytes: number;
      /** Milliseconds before each. */
      readonly everyMs: number;
    };
