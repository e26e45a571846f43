/** Judges requests before a model gets them and answers before the caller gets them, for every model. */
import {
  type Call,
  definePlugin,
  type Gateway,
  type Handler,
  type ModelEvent,
  type ModelRequest,
  type Plugin,
  PolyphonyError,
  type Warning,
} from 'polyphony/kit';
import type { Classifier, Finding } from './moderation/classifier.ts';
import {
  type Inspector,
  inspect,
  type ModerationAction,
  redacted,
  type Span,
  wholeText,
} from './moderation/inspect.ts';
import { mapTexts, textsOf } from './moderation/request-texts.ts';
import { inWindows } from './moderation/window.ts';

export type { Classifier, ClassifierContext, Finding } from './moderation/classifier.ts';
export { type ModerationEndpointOptions, moderationEndpoint } from './moderation/endpoint.ts';
export type { ModerationAction } from './moderation/inspect.ts';
export { type LocalRule, type LocalRulesOptions, localRules } from './moderation/local-rules.ts';

export interface ModerationOptions {
  readonly classifiers: readonly Classifier[];
  /** Judge requests. @default true */
  readonly inputs?: boolean;
  /** Judge answers. @default true */
  readonly outputs?: boolean;
  /** The action for findings, or a function that decides per finding and direction. @default 'block' */
  readonly action?: ModerationAction | ((finding: Finding, direction: 'input' | 'output') => ModerationAction);
  /** Characters of a streamed answer that are collected before they are judged. @default 400 */
  readonly window?: number;
  /** Characters judged again with the next window, for classifiers that cannot say how many they need. @default 80 */
  readonly overlap?: number;
  /** When a classifier fails, pass the text with the warning `not-moderated` instead of failing the call. @default false */
  readonly failOpen?: boolean;
}

const SEPARATOR = '\n\n';

/**
 * A blocked call throws `blocked`, whose details contain category, classifier and direction, never the text.
 *
 * @throws invalid-config when there is no classifier, or window or overlap is not a valid number of characters
 */
export function moderation(options: ModerationOptions): Plugin {
  const { classifiers, inputs = true, outputs = true, action = 'block', window = 400, overlap = 80 } = options;
  if (classifiers.length === 0)
    throw new PolyphonyError('invalid-config', 'moderation: classifiers is empty; give at least one.');
  if (!(window >= 1) || !(overlap >= 0)) {
    throw new PolyphonyError(
      'invalid-config',
      `moderation: window is ${window} and overlap is ${overlap}; give at least 1 and at least 0 characters.`,
    );
  }
  const act = typeof action === 'function' ? action : () => action;
  const inspector: Inspector = { classifiers, action: act, failOpen: options.failOpen === true, overlap };
  return definePlugin({
    name: 'moderation',
    setup: ({ gateway }) => ({
      request: {
        place: 'moderation',
        handle(call, next) {
          const ours = call.purpose === 'answer' || call.purpose === 'planner';
          if (!ours || call.request.operation === 'moderate') return next(call);
          const judged = outputs && call.request.operation === 'chat';
          if (!inputs && !judged) return next(call);
          return moderated({ inspector, gateway, window, inputs, outputs: judged }, call, next);
        },
      },
    }),
  });
}

interface Parts {
  readonly inspector: Inspector;
  readonly gateway: Gateway;
  readonly window: number;
  readonly inputs: boolean;
  readonly outputs: boolean;
}

async function* moderated(parts: Parts, call: Call, next: Handler): AsyncGenerator<ModelEvent> {
  const { inspector, gateway, window, inputs, outputs } = parts;
  let request = call.request;
  if (inputs) {
    const judged = await judgedRequest(parts, call);
    for (const warning of judged.warnings) yield { type: 'warning', warning };
    request = judged.request;
  }
  const stream = next(request === call.request ? call : { ...call, request });
  yield* outputs ? inWindows({ inspector, gateway, call, window }, stream) : stream;
}

/** Judges all texts together, so that a classifier that calls a model is called once. */
async function judgedRequest(
  { inspector, gateway }: Parts,
  call: Call,
): Promise<{ readonly request: ModelRequest; readonly warnings: readonly Warning[] }> {
  const { request } = call;
  const text = textsOf(request).join(SEPARATOR);
  if (text.trim() === '') return { request, warnings: [] };
  const { spans, warnings } = await inspect(inspector, call, gateway, 'input', wholeText(text, 'places'));
  return { request: spans.length === 0 ? request : withoutSpans(request, text, spans), warnings };
}

function withoutSpans(request: ModelRequest, text: string, spans: readonly Span[]): ModelRequest {
  let at = 0;
  return mapTexts(request, (part) => {
    const from = at;
    at += part.length + SEPARATOR.length;
    return redacted(text, spans, from, from + part.length);
  });
}
