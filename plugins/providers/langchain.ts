/**
 * Any chat model of LangChain as a provider: `langchain(new ChatAnything({ … }))`. Options of its own package (such as a
 * temperature or a limit) are set when it is constructed; a call passes messages, tools, stop sequences and a signal.
 *
 * Needs the package `@langchain/core`, which polyphony does not install. Construct the model with `maxRetries: 0`:
 * the gateway retries.
 */
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import {
  type Attempt,
  abortError,
  asNumber,
  asPolyphonyError,
  asRecord,
  asText,
  type Capability,
  type ChatRequest,
  defined,
  failureOf,
  httpError,
  type ModelCardFields,
  type ModelEvent,
  mergeFields,
  modelCard,
  PolyphonyError,
  type Provider,
  type ProviderContext,
  renamedTools,
  USUAL_TOOL_NAMES,
  type Warning,
} from 'polyphony/kit';
import { finish, type LangChainMessage, newAnswer, readMessage } from './langchain/answer.ts';
import { encodeMessages, type MessageClasses } from './langchain/messages.ts';

export interface LangChainOptions {
  /** The first half of `provider/model`. @default 'langchain' */
  readonly id?: string;
  /** Card fields that override what can be read from the model. @default its own name, no price */
  readonly card?: Partial<ModelCardFields>;
  /** Requests at the same time. @default 64 */
  readonly concurrency?: number;
}

const CAPABILITIES: readonly Capability[] = ['text', 'streaming', 'system', 'stop', 'image-in', 'planning'];
const TOOLS: readonly Capability[] = ['tools', 'parallel-tools', 'tool-choice'];

/** @throws invalid-config when the value is not a chat model */
export function langchain(model: BaseChatModel, options: LangChainOptions = {}): Provider {
  if (typeof model?.stream !== 'function' || typeof model.invoke !== 'function') {
    throw new PolyphonyError('invalid-config', 'langchain() needs a chat model of LangChain: pass an instance of one.');
  }
  const { id = 'langchain', card = {}, concurrency } = options;
  const capabilities = [...CAPABILITIES, ...(model.bindTools === undefined ? [] : TOOLS)];
  return {
    id,
    models: [modelCard({ id: nameOf(model), capabilities, ...card })],
    ...defined({ concurrency }),
    stream(attempt, context) {
      // The server behind the model is unknown, so the names are those that most servers accept.
      const renamed = renamedTools(attempt.request, USUAL_TOOL_NAMES);
      const events = streamAttempt(model, id, { ...attempt, request: renamed?.request ?? attempt.request }, context);
      return renamed === undefined ? events : renamed.restore(events);
    },
  };
}

function nameOf(model: BaseChatModel): string {
  const { model: name, modelName } = model as { model?: unknown; modelName?: unknown };
  return asText(name) || asText(modelName) || model._llmType();
}

async function* streamAttempt(
  model: BaseChatModel,
  family: string,
  attempt: Attempt,
  { report }: ProviderContext,
): AsyncGenerator<ModelEvent> {
  const { request, signal, streaming = true } = attempt;
  if (request.operation !== 'chat') {
    throw new PolyphonyError(
      'unsupported',
      `This model supports only chat, not "${request.operation}": use a model that lists it.`,
    );
  }
  try {
    for (const warning of droppedOf(request, model)) yield { type: 'warning', warning };
    const messages = encodeMessages(request.messages, family, await messageClasses());
    const runnable = withTools(model, request);
    const call = {
      ...mergeFields(
        request.stop ? { stop: [...request.stop] } : {},
        asRecord(request.providerOptions?.[family]) ?? {},
      ),
      signal,
    };
    const answer = newAnswer(family);
    if (streaming) {
      for await (const chunk of await runnable.stream(messages, call)) {
        readMessage(answer, chunk as LangChainMessage);
        const { events } = answer;
        answer.events = [];
        yield* events;
      }
      // A model may end a cancelled stream as if it were complete.
      signal.throwIfAborted();
    } else readMessage(answer, (await runnable.invoke(messages, call)) as LangChainMessage);
    for (const event of finish(answer)) {
      if (event.type === 'finish' && event.model !== undefined) report({ model: event.model });
      yield event;
    }
  } catch (error) {
    throw signal.aborted ? abortError(signal) : toPolyphonyError(error);
  }
}

/** The package is an optional peer dependency: users of a LangChain model have it, others need not install it. */
async function messageClasses(): Promise<MessageClasses> {
  try {
    return await import('@langchain/core/messages');
  } catch (error) {
    if (asRecord(error)?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new PolyphonyError(
      'invalid-config',
      'langchain() needs the package "@langchain/core", which is not installed: run npm install @langchain/core.',
      { cause: error },
    );
  }
}

type Runnable = Pick<BaseChatModel, 'stream' | 'invoke'>;

function withTools(model: BaseChatModel, { tools = [], toolChoice, parallelToolCalls }: ChatRequest): Runnable {
  if (tools.length === 0 || toolChoice === 'none') return model;
  if (model.bindTools === undefined) {
    throw new PolyphonyError('unsupported', 'This LangChain model does not support tools: use one that has bindTools.');
  }
  const choice = typeof toolChoice === 'object' ? toolChoice.name : toolChoice === 'required' ? 'any' : toolChoice;
  const bound = model.bindTools(
    tools.map(({ name, description = '', inputSchema }) => ({ name, description, schema: inputSchema })),
    {
      ...defined({ tool_choice: choice, parallel_tool_calls: parallelToolCalls }),
    },
  );
  return bound as Runnable;
}

const FIXED = [
  ...(['maxOutputTokens', 'temperature', 'topP', 'topK', 'presencePenalty', 'frequencyPenalty'] as const),
  ...(['seed', 'logprobs', 'reasoning', 'serviceTier', 'user', 'output'] as const),
];

function droppedOf(request: ChatRequest, model: BaseChatModel): Warning[] {
  const given = FIXED.filter((name) => request[name] !== undefined && request[name] !== false);
  return given.map((name) => ({
    code: 'parameter-dropped',
    message: `"${name}" was dropped: set it when you construct ${nameOf(model)}, or pass it in providerOptions.`,
  }));
}

/** Converts the error of a client library, by the status that nearly all of them set on it. */
function toPolyphonyError(error: unknown): PolyphonyError {
  if (error instanceof PolyphonyError) return error;
  const fields = asRecord(error);
  const status =
    asNumber(fields?.status) ?? asNumber(fields?.statusCode) ?? asNumber(asRecord(fields?.response)?.status);
  if (status === undefined || status < 400) return asPolyphonyError(error);
  const message = error instanceof Error ? error.message : String(error);
  // Such libraries put the status before the server's own sentence, and its code and type beside it.
  const said = message.startsWith(`${status} `) ? message.slice(`${status} `.length) : message;
  return httpError({ ...failureOf({ error: { ...fields, message: undefined } }, status), status, message: said });
}
