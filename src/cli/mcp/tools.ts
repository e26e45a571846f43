/** What `polyphony mcp` offers: the gateway as the tool `ask`, and each workflow as `workflow-<id>`. */
import { defined } from '../../core/defined.ts';
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import type { ChatRequest, JsonSchema, ModelResponse } from '../../core/model/model.ts';
import { TIERS } from '../../core/model/model.ts';
import { textOf } from '../../core/model/response.ts';
import { nanoToUsd } from '../../core/money/money.ts';
import type { RunResult } from '../../core/run/engine.ts';
import { scrubText } from '../../core/scrub.ts';
import { validateJson } from '../../kit/json/json-validation.ts';
import { toolSchema } from '../../kit/json/tool-schema.ts';
import type { Polyphony } from '../../polyphony.ts';

export interface OfferedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema & { readonly type: 'object' };
  readonly annotations: Readonly<Record<string, boolean>>;
  /** Throws PolyphonyError. */
  run(given: Given, signal: AbortSignal): Promise<Ended>;
}

type Given = Readonly<Record<string, unknown>>;
interface Ended {
  readonly text: string;
  readonly structured: Readonly<Record<string, unknown>>;
}

export interface Offering {
  readonly polyphony: Polyphony;
  /** Ids of workflows; empty: all that are registered and can run here. */
  readonly workflows: ReadonlySet<string>;
  /** Cap of each call, in US dollars. */
  readonly budgetUsd?: number | undefined;
}

const ASK_INPUT = {
  type: 'object',
  properties: {
    prompt: { type: 'string', minLength: 1, maxLength: 1_000_000 },
    system: { type: 'string', maxLength: 100_000 },
    model: {
      type: 'string',
      maxLength: 200,
      description: 'provider/model or an alias; the router chooses by default.',
    },
    tier: { type: 'string', enum: [...TIERS] },
    maxTokens: { type: 'integer', minimum: 1, maximum: 1_000_000 },
  },
  required: ['prompt'],
  additionalProperties: false,
} as const;

/** @throws not-found for a workflow that is not registered; invalid-plan for one that is named and cannot run here */
export async function offeredTools(offering: Offering): Promise<ReadonlyMap<string, OfferedTool>> {
  const { workflows } = offering.polyphony.catalogue();
  const missing = [...offering.workflows].find((id) => !workflows.has(id));
  if (missing !== undefined)
    throw new PolyphonyError('not-found', `There is no workflow "${missing}": polyphony workflows lists them.`);
  const isNamed = offering.workflows.size > 0;
  const ids = [...workflows.keys()].filter((id) => !isNamed || offering.workflows.has(id));
  const made = await Promise.all(ids.map((id) => workflowTool(offering, id).catch((error) => leftOut(error, isNamed))));
  const tools = [askTool(offering), ...made.filter((tool) => tool !== undefined)];
  return new Map(tools.map((tool) => [tool.name, tool]));
}

/** Of all workflows those are offered that can run: a ready-made one may need a model that is not there. */
function leftOut(error: unknown, isNamed: boolean): undefined {
  if (isNamed || !(error instanceof PolyphonyError) || error.code !== 'invalid-plan') throw error;
}

function askTool({ polyphony, budgetUsd }: Offering): OfferedTool {
  return {
    name: 'ask',
    description: 'Asks a language model through the gateway: it chooses one, fails over, and counts the cost.',
    inputSchema: ASK_INPUT,
    annotations: { readOnlyHint: true, openWorldHint: true },
    async run({ prompt, system, model, tier, maxTokens }, signal) {
      const choice = defined({ id: model, tier }) as NonNullable<ChatRequest['model']>;
      const request: ChatRequest = {
        operation: 'chat',
        messages: [
          ...(system === undefined ? [] : [{ role: 'system', content: String(system) } as const]),
          { role: 'user', content: String(prompt) },
        ],
        ...(model === undefined && tier === undefined ? {} : { model: choice }),
        ...(maxTokens === undefined ? {} : { maxOutputTokens: Number(maxTokens) }),
        ...(budgetUsd === undefined ? {} : { limits: { usd: budgetUsd } }),
      };
      return answered(await polyphony.gateway.call(request, { signal }));
    },
  };
}

function answered(response: ModelResponse): Ended {
  const { costNanoUsd, target, model = target.model } = response;
  const text = textOf(response);
  return { text, structured: { text, model, provider: target.provider, costUsd: usdOf(costNanoUsd) } };
}

async function workflowTool({ polyphony, budgetUsd }: Offering, id: string): Promise<OfferedTool> {
  const { workflows, steps } = polyphony.catalogue();
  const plan = workflows.get(id);
  if (plan === undefined) throw new TypeError(`no workflow ${id}`);
  const { writes, reaches } = await polyphony.effects(plan);
  const schema = toolSchema(steps.get(`workflow:${id}`)?.input ?? { type: 'object' }).schema;
  return {
    name: `workflow-${id}`,
    description: plan.goal ?? `The workflow ${id}.`,
    inputSchema: { ...schema, type: 'object' },
    annotations: { readOnlyHint: writes.length === 0, openWorldHint: reaches.length > 0 },
    async run(given, signal) {
      const handle = await polyphony.start(plan, given, { signal, ...defined({ budgetUsd }) });
      return ended(await handle.result());
    },
  };
}

function ended({ runId, status, output, error, waiting, costNanoUsd }: RunResult): Ended {
  if (status === 'failed' || status === 'cancelled') {
    const { code = 'cancelled', message = 'it was cancelled' } = error ?? {};
    throw new PolyphonyError(code, `The run ${runId} ended as ${status}: ${message}`);
  }
  const facts = { runId, status, costUsd: usdOf(costNanoUsd) };
  if (status !== 'suspended') {
    const text = typeof output === 'string' ? output : JSON.stringify(output ?? null);
    return { text, structured: { ...facts, output: output ?? null } };
  }
  const questions = (waiting ?? []).map(({ nodeId, question, choices }) => defined({ nodeId, question, choices }));
  const asked = questions.map(({ nodeId, question }) => `${nodeId}: ${question ?? 'it waits'}`).join('\n');
  const text = `The run ${runId} waits for an answer from a person:\n${asked}\nAnswer with: polyphony runs answer ${runId}`;
  return { text, structured: { ...facts, waiting: questions } };
}

const usdOf = (nanoUsd: number | null): number | null => (nanoUsd === null ? null : nanoToUsd(nanoUsd));

/** The result in the form of the protocol. What fails is a result too: the client's model reads why. Never rejects. */
export async function callOffered(
  tools: ReadonlyMap<string, OfferedTool>,
  name: string,
  given: Given,
  signal: AbortSignal,
): Promise<{ content: { type: 'text'; text: string }[]; structuredContent?: Record<string, unknown>; isError?: true }> {
  try {
    const tool = tools.get(name);
    if (tool === undefined)
      throw new PolyphonyError('invalid-request', `There is no tool ${JSON.stringify(name.slice(0, 200))}.`);
    const checked = validateJson(tool.inputSchema, given, { trusted: true });
    if (!checked.ok) {
      const [first] = checked.issues;
      throw new PolyphonyError(
        'invalid-request',
        `The arguments of ${name} do not fit: ${first?.path} ${first?.message}.`,
      );
    }
    const { text, structured } = await tool.run(given, signal);
    return { content: [{ type: 'text', text }], structuredContent: { ...structured } };
  } catch (error) {
    const { code, message } = asPolyphonyError(error);
    return { content: [{ type: 'text', text: `${code}: ${scrubText(message)}` }], isError: true };
  }
}
