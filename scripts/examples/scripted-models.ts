/**
 * A plugin of models whose answers stand in a file, for examples that the embedded engine cannot answer in earnest. The
 * command loads it by its path and gets the file from SCRIPTED_ANSWERS. It takes the place of the embedded provider.
 *
 *   { "answers": [
 *       { "asked": "Classify",           "answer": { "label": "billing" } },     an object is a typed answer
 *       { "asked": ["draft", "harbour"], "answers": ["too long", "short"] },     the first, the second …; the last one stays
 *       { "asked": "refund 4471",        "answer": { "toolCalls": [{ "name": "pay", "arguments": { "usd": 5 } }] } },
 *       { "answer": "anything else" } ] }
 *
 * The first rule counts whose words are all in the request: its system text, messages and results of tools. A request
 * without a rule fails. Embeddings, ranks and moderation are computed from the words of the texts.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  CHAT_CAPABILITIES,
  definePlugin,
  estimateRequestTokens,
  type ModelCard,
  type ModelEvent,
  type ModelRequest,
  type Plugin,
  PolyphonyError,
} from 'polyphony/kit';
import { z } from 'zod';

const CallsSchema = z.strictObject({
  toolCalls: z.array(z.strictObject({ name: z.string(), arguments: z.record(z.string(), z.json()) })).min(1),
});
const AnswerSchema = z.union([CallsSchema, z.json()]);
const RuleSchema = z
  .strictObject({
    asked: z.union([z.string(), z.array(z.string())]).optional(),
    answer: AnswerSchema.optional(),
    answers: z.array(AnswerSchema).min(1).optional(),
  })
  .refine(({ answer, answers }) => (answer === undefined) !== (answers === undefined), {
    message: 'give either answer or answers',
  });
const ScriptSchema = z.strictObject({ $schema: z.string().optional(), answers: z.array(RuleSchema) });
type Answer = z.infer<typeof AnswerSchema>;

const SHARED = {
  operations: ['chat'],
  strengths: { general: 0.8 },
  capabilities: [...CHAT_CAPABILITIES, 'image-in', 'file-in', 'reasoning'],
  contextTokens: 200_000,
  maxOutputTokens: 16_384,
  price: { input: 1, output: 2, source: 'an example' },
  retention: 'none',
  expectedMs: 5,
} as const satisfies Partial<ModelCard>;

const MODELS: readonly ModelCard[] = [
  { ...SHARED, id: 'small', tier: 'fast' },
  { ...SHARED, id: 'medium', tier: 'balanced' },
  { ...SHARED, id: 'large', tier: 'premium' },
  {
    ...SHARED,
    id: 'words',
    tier: 'fast',
    operations: ['embed', 'rerank', 'moderate'],
    capabilities: ['text', 'embeddings', 'rerank', 'moderation'],
  },
];

export default function scriptedModels(): Plugin {
  const path = process.env.SCRIPTED_ANSWERS ?? '';
  const next = scriptOf(path);
  return definePlugin({
    name: 'embedded',
    providers: [
      {
        id: 'scripted',
        models: MODELS,
        async *stream({ request }) {
          const events = request.operation === 'chat' ? eventsOf(next(textOf(request))) : [outputOf(request)];
          yield* events;
          const reason = events.some(({ type }) => type === 'tool-call') ? 'tool-calls' : 'stop';
          yield { type: 'finish', reason, usage: { input: estimateRequestTokens(request), output: 20 } };
        },
      },
    ],
  });
}

/** Counts how often each rule has answered. @throws when the file is no script */
function scriptOf(path: string): (request: string) => Answer {
  const { answers } = ScriptSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const rules = answers.map(({ asked = [], answer, answers: several }) => ({
    words: [asked].flat(),
    list: several ?? [answer ?? null],
    used: 0,
  }));
  return (request) => {
    const rule = rules.find(({ words }) => words.every((word) => request.includes(word)));
    if (rule === undefined) {
      throw new PolyphonyError('invalid-request', `${path} has no answer to: ${request.slice(-600)}`);
    }
    rule.used += 1;
    return rule.list[Math.min(rule.used, rule.list.length) - 1] ?? null;
  };
}

function textOf({ messages }: Extract<ModelRequest, { operation: 'chat' }>): string {
  const texts = messages.map(({ content }) =>
    typeof content === 'string'
      ? content
      : content.map((part) => (part.type === 'text' ? part.text : JSON.stringify(part))).join('\n'),
  );
  return texts.join('\n');
}

function eventsOf(answer: Answer): readonly ModelEvent[] {
  const calls = CallsSchema.safeParse(answer);
  if (!calls.success) {
    return [{ type: 'text-delta', text: typeof answer === 'string' ? answer : JSON.stringify(answer) }];
  }
  return calls.data.toolCalls.map(({ name, arguments: given }, index) => {
    const id = `call_${createHash('sha256')
      .update(JSON.stringify([index, name, given]))
      .digest('hex')
      .slice(0, 12)}`;
    return { type: 'tool-call', call: { type: 'tool-call', id, name, arguments: given } };
  });
}

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

function outputOf(request: Exclude<ModelRequest, { operation: 'chat' }>): ModelEvent {
  if (request.operation === 'embed') {
    return { type: 'output', output: { operation: 'embed', vectors: request.input.map(vectorOf) } };
  }
  if (request.operation === 'rerank') {
    const wanted = new Set(wordsOf(request.query));
    const scored = request.documents.map((text, index) => {
      const words = wordsOf(text);
      return { index, score: words.filter((word) => wanted.has(word)).length / (words.length || 1) };
    });
    const results = scored.sort((a, b) => b.score - a.score).slice(0, request.top ?? scored.length);
    return { type: 'output', output: { operation: 'rerank', results } };
  }
  if (request.operation === 'moderate') {
    const result = { flagged: false, categories: {}, scores: {} };
    return { type: 'output', output: { operation: 'moderate', results: [result] } };
  }
  throw new PolyphonyError('unsupported', 'The scripted models make no images.');
}

/** A bag of words in 64 dimensions: texts with the same words are near each other. */
function vectorOf(text: string): readonly number[] {
  const vector = Array.from({ length: 64 }, () => 0);
  for (const word of wordsOf(text)) {
    const at = (createHash('sha256').update(word).digest()[0] ?? 0) % vector.length;
    vector[at] = (vector[at] ?? 0) + 1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
