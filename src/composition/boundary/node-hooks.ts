/** The `node` hooks of plugins, as the runners call them: what one gives becomes JSON, and its errors name the plugin. */
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import type { PluginParts } from '../../core/plugin.ts';
import { type NodeOutput, type NodeRunner, SuspendRun } from '../../core/run/engine.ts';
import { plainJson } from '../../core/run/plain-json.ts';
import { thrownText } from '../../core/user-code/thrown-text.ts';
import type { NodeMiddleware } from '../../runners/create-runners.ts';

interface Hosted {
  readonly name: string;
  readonly parts: PluginParts;
}

/** In the order of the plugins, the outermost first. */
export function nodeHooks(hosted: readonly Hosted[]): readonly NodeMiddleware[] {
  return hosted.flatMap(({ name, parts }) => (parts.node === undefined ? [] : [hookOf(name, parts.node.bind(parts))]));
}

function hookOf(plugin: string, node: NodeMiddleware): NodeMiddleware {
  return async function callHook(call, next) {
    // What comes from within is JSON already, and is not copied again.
    let inner: NodeOutput | undefined;
    const inside: NodeRunner = async (passed) => {
      inner = await next(passed);
      return inner;
    };
    let output: unknown;
    try {
      output = await node(call, inside);
    } catch (error) {
      throw ofHook(plugin, call.node.id, error);
    }
    return output === inner && inner !== undefined ? inner : ownOutput(plugin, call.node.id, output, inner);
  };
}

function ofHook(plugin: string, nodeId: string, error: unknown): unknown {
  const known = asPolyphonyError(error);
  if (known === error) return error;
  if (known.cause instanceof SuspendRun || error instanceof SuspendRun) return error;
  const message = `The plugin "${plugin}" failed in its node hook, at node ${nodeId}: ${thrownText(error)}`;
  return new PolyphonyError('plugin-failed', message, { cause: error, details: { plugin, nodeId } });
}

function ownOutput(plugin: string, nodeId: string, output: unknown, inner: NodeOutput | undefined): NodeOutput {
  const details = { plugin, nodeId };
  if (typeof output !== 'object' || output === null) {
    const what = output === null ? 'null' : typeof output;
    const message = `The node hook of the plugin "${plugin}" returned ${what}, not an output, at node ${nodeId}: return what next(call) gives, or { value, costNanoUsd }.`;
    throw new PolyphonyError('plugin-failed', message, { details });
  }
  const given = output as NodeOutput;
  if (given.value === inner?.value) return given;
  const noun = `The result of node ${nodeId}, as the plugin "${plugin}" changed it,`;
  const value = plainJson(given.value, () => ({ noun, code: 'invalid-output', details }));
  return value === given.value ? given : { ...given, value };
}
