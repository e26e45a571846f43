/** The gateway's methods that make calls. */
import type { Runtime } from '../core/clock.ts';
import type { CallOptions, Gateway } from '../core/gateway.ts';
import type { GenerateRequest, GenerateResponse } from '../core/model/generate.ts';
import type { Handler, ModelEvent, ModelRequest, ModelResponse } from '../core/model/model.ts';
import { collect } from '../core/model/response.ts';
import { failing } from '../kit/streams/stream-head.ts';
import { callOf } from './calls/call.ts';
import { answerOf, withText } from './typed/answer.ts';
import { formOf } from './typed/form.ts';
import { objectStream } from './typed/object-stream.ts';
import { type Rate, ratedForm } from './typed/rated-form.ts';

type Operations = Pick<Gateway, 'generate' | 'stream' | 'embed' | 'image' | 'moderate' | 'rerank' | 'call'>;

/** `rate` takes whether an answer had the form that its request asked for. */
export function operations(handle: Handler, runtime: Runtime, rate: Rate): Operations {
  // Invalid requests reject the promise, as every other error does.
  const call = async (request: ModelRequest, options?: CallOptions): Promise<ModelResponse> => {
    const made = callOf(request, options, false, runtime);
    return collect(handle(made), made);
  };
  const generate = async (given: GenerateRequest, options?: CallOptions): Promise<GenerateResponse> => {
    const form = formOf(given);
    const made = callOf(form.request, options, false, runtime);
    const response = await collect(handle(made), made);
    if (form.schema === undefined) return form.tools === undefined ? withText(response) : answerOf(form, response);
    return ratedForm(response, rate, () => answerOf(form, response));
  };
  const stream = (given: GenerateRequest, options?: CallOptions): AsyncIterable<ModelEvent> => {
    try {
      const { request, schema } = formOf(given);
      const made = callOf(request, options, true, runtime);
      const events = handle(made);
      // The types of `Gateway` say which requests yield more than the events of every answer.
      return schema === undefined ? events : (objectStream(events, schema, made, rate) as AsyncIterable<ModelEvent>);
    } catch (error) {
      return failing(error);
    }
  };
  return {
    call,
    generate: generate as Operations['generate'],
    stream: stream as Operations['stream'],
    embed: (request, options) => call({ operation: 'embed', ...request }, options),
    image: (request, options) => call({ operation: 'image', ...request }, options),
    moderate: (request, options) => call({ operation: 'moderate', ...request }, options),
    rerank: (request, options) => call({ operation: 'rerank', ...request }, options),
  };
}
